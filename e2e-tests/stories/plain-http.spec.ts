// The console by a plain http address of a host: no secure context, so that the browser offers no clipboard.
import { expect, FAKE_MACHINES, signIn, test } from '../support/story.ts';
import config from '../playwright.config.ts';

const HOST = 'ocim.test';
const launch = config.use?.launchOptions ?? {};

test.use({
  settings: { ...FAKE_MACHINES, OCIM_ALLOWED_HOSTS: HOST },
  launchOptions: { ...launch, args: [...(launch.args ?? []), `--host-resolver-rules=MAP ${HOST} 127.0.0.1`] },
});

test('a token is copied without a secure context', async ({ page, program }) => {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(`${program.url.replace('localhost', HOST)}/account`);
  await signIn(page, program);
  expect(await page.evaluate(() => [isSecureContext, navigator.clipboard === undefined])).toEqual([false, true]);

  await page.getByRole('region', { name: 'API tokens' }).getByRole('button', { name: 'New token…' }).click();
  await page.getByLabel('Name', { exact: true }).fill('nightly deploy');
  await page.getByRole('button', { name: 'Create token' }).click();
  const shown = page.getByRole('dialog', { name: 'The new API token' });
  const secret = await shown.getByRole('textbox', { name: 'Token' }).innerText();

  await test.step('the older API copies it, and the dialog says so', async () => {
    const copy = shown.getByRole('button', { name: 'Copy', exact: true });
    await copy.click();
    await expect(shown.getByRole('status').filter({ hasText: 'Copied.' })).toBeAttached();
    await expect(copy.or(shown.getByRole('button', { name: 'Copied', exact: true })), 'the focus stays').toBeFocused();
    await shown.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'New token…' }).click();
    const field = page.getByLabel('Name', { exact: true });
    await field.focus();
    await page.keyboard.press('Control+v');
    await expect(field).toHaveValue(secret);
    await page.keyboard.press('Escape');
  });

  await test.step('if the browser refuses that, too, the dialog says what to do', async () => {
    await page.evaluate(() => (document.execCommand = () => false));
    await page.getByRole('button', { name: 'New token…' }).click();
    await page.getByLabel('Name', { exact: true }).fill('weekly deploy');
    await page.getByRole('button', { name: 'Create token' }).click();
    await shown.getByRole('button', { name: 'Copy', exact: true }).click();
    await expect(shown.getByText('Select the text and press Ctrl+C.')).toBeVisible();
  });
  expect(faults, faults.join('\n')).toEqual([]);
});
