// A browser that translates a page replaces the text nodes that the application writes to by <font> elements. The page asks
// not to be translated; if a browser does it anyway, the application keeps working.
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('the page asks not to be translated, and works if it is', async ({ page, program }) => {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  const api = await Api.signIn(program);
  const instance = await api.create('Geology Academy', 'geology');
  await api.create('History Academy', 'history');
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);

  await expect(page.locator('html')).toHaveAttribute('translate', 'no');
  await expect(page.locator('html')).toHaveClass(/\bnotranslate\b/);
  await expect(page.locator('meta[name="google"]')).toHaveAttribute('content', 'notranslate');

  await expect(page.getByRole('heading', { name: 'Geology Academy' })).toBeVisible();
  await page.evaluate(translate);
  await api.activate((await api.build(instance.id)).id);
  await page.getByRole('link', { name: /History Academy/ }).click();
  await expect(page.getByRole('heading', { name: 'History Academy' })).toBeVisible();
  await page.evaluate(translate);
  await page.getByRole('link', { name: /Geology Academy/ }).click();
  await expect(page.getByText('AppServer 1: Running').first()).toBeVisible();
  await page.getByLabel(/^Menu of/).click();
  await page.getByRole('link', { name: 'Activity' }).last().click();
  await expect(page.getByRole('heading', { name: 'Activity' })).toBeVisible();
  await expect(page.locator('[data-fault]')).toHaveCount(0);
  expect(faults, faults.join('\n')).toEqual([]);
});

/** Replaces each text as Chrome's translation does. Runs in the page. */
function translate(): void {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (text.data.trim() === '') continue;
    const outer = document.createElement('font');
    const inner = document.createElement('font');
    inner.textContent = text.data;
    outer.append(inner);
    text.replaceWith(outer);
  }
}
