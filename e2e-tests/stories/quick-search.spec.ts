// Ctrl-K, a few letters, Enter: instances, app servers, pull requests.
import { Api } from '../support/api.ts';
import { FAKE_MACHINES, expect, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('instances, app servers and pull requests are found by name', async ({ page, program }) => {
  const admin = await Api.signIn(program);
  const astro = await admin.create('Astronomy Academy', 'astro');
  const botany = await admin.create('Botany Academy', 'botany');
  await admin.build(astro.id);
  const second = await admin.build(astro.id);
  const other = await admin.build(botany.id);
  await page.goto('/');
  await signIn(page, program);
  const dialog = page.getByRole('dialog', { name: 'Quick search' });
  const field = dialog.getByRole('combobox');
  const group = (name: string) => dialog.getByRole('group', { name }).getByRole('option');

  await test.step('an instance and its app servers, each under its heading', async () => {
    await page.keyboard.press('Control+k');
    await expect(group('Instances')).toHaveCount(2);
    await field.fill('astro');
    await expect(group('Instances')).toHaveText([/Astronomy Academy/]);
    await expect(group('App servers')).toHaveText([/Astronomy Academy: AppServer 2/, /Astronomy Academy: AppServer 1/]);
    await expect(dialog.getByRole('status')).toBeEmpty();
    await picture(page, 'quick-search');
  });

  await test.step('the arrows and Enter lead to an app server', async () => {
    await field.fill('astro 2');
    await expect(group('App servers')).toHaveText([/Astronomy Academy: AppServer 2/]);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${program.url}/instances/${astro.id}/app-servers/${second.id}`);
    await page.keyboard.press('Control+k');
    await field.fill('appserver 1');
    await expect(group('App servers')).toHaveCount(2);
    await expect(group('App servers').first()).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${program.url}/instances/${botany.id}/app-servers/${other.id}`);
  });

  await test.step('it says if nothing was found, or if the search failed', async () => {
    await page.keyboard.press('Control+k');
    await field.fill('#4711');
    await expect(dialog.getByRole('status')).toHaveText('Nothing matches.');
    await page.route('**/api/v1/app-servers?q=*', (route) => route.abort());
    await field.fill('botany');
    await expect(dialog.getByRole('status')).toContainText('App servers and pull requests could not be searched.');
    await expect(group('Instances')).toHaveText([/Botany Academy/]);
    await page.unroute('**/api/v1/app-servers?q=*');
    await field.fill('botany 1');
    await expect(group('App servers')).toHaveCount(1);
  });
});
