// Backups of a real PostgreSQL database: made, verified, restored and deleted; and what is said without the key that decrypts
// them, and before the data of an instance is deleted.
import type { Locator, Page } from '@playwright/test';
import { Api, type Instance } from '../support/api.ts';
import { loginOf, site, test, WORKED } from '../support/outside.ts';
import type { Program } from '../support/program.ts';
import { expect, picture, signIn } from '../support/story.ts';

const NAME = 'Geology Academy';

test('back up, change a row, restore, and find the row as before', async ({ page, program, postgres }) => {
  test.setTimeout(240_000);
  const api = await Api.signIn(program);
  const instance = await create(api, program);
  await page.goto(`/instances/${instance.id}/data`);
  await signIn(page, program);

  await test.step('without a database there is nothing to back up, which the card says', async () => {
    await expect(card(page).getByRole('note', { name: 'No backup can be made.' })).toBeVisible();
    await expect(backUp(page)).toHaveAttribute('aria-disabled', 'true');
    await expect(card(page)).toContainText('There is no backup yet.');
  });

  const built = await api.build(instance.id);
  expect(built.status).toBe('running');
  await api.activate(built.id);
  const login = await loginOf(api, instance);
  postgres.run(login, "CREATE TABLE rocks (name TEXT PRIMARY KEY, age TEXT); INSERT INTO rocks VALUES ('gneiss', 'as it was')");

  await test.step('a backup is made, and is complete without a reload', async () => {
    await expect(card(page)).toContainText('PostgreSQL database main');
    await backUp(page).click();
    await expect(rows(page)).toHaveCount(1);
    await expect(rows(page).first()).toContainText('Complete', WORKED);
    await expect(rows(page).first()).toContainText(`By ${program.username}`);
    await expect(rows(page).first()).toContainText(/\d B|\d kB/);
    await expect(rows(page).first()).toContainText('PostgreSQL main');
    await expect(rows(page).first()).toContainText('Never');
  });

  await test.step('verified, it says when', async () => {
    await rows(page).first().getByRole('button', { name: 'Verify' }).click();
    await expect(rows(page).first().getByRole('cell').nth(3)).toHaveText('just now', WORKED);
    await expect(rows(page).first()).toContainText('Complete', WORKED);
  });

  postgres.run(login, "UPDATE rocks SET age = 'changed'; INSERT INTO rocks VALUES ('slate', 'new')");

  await test.step('a restore says what it does, and needs the name of the instance', async () => {
    await rows(page).first().getByRole('button', { name: 'Restore…' }).click();
    const dialog = page.getByRole('dialog', { name: /^Restore the backup of .*\?$/ });
    await expect(dialog.getByRole('listitem')).toContainText([
      'The files of the backup are checked.',
      'Visitors get the maintenance page.',
      'What was written since',
      'When all are complete,',
    ]);
    const button = dialog.getByRole('button', { name: 'Restore' });
    await dialog.getByLabel('to confirm').fill('Geology');
    await expect(button).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('to confirm').fill(NAME);
    await picture(page, 'backups-restore');
    await button.click();
    await expect(dialog).toBeHidden();
  });

  await test.step('the rows are as they were', async () => {
    await expect(rows(page).first().getByRole('cell').nth(3)).toContainText('Restored just now', WORKED);
    await expect(rows(page).first()).toContainText('Complete', WORKED);
    expect(postgres.run(login, 'SELECT name, age FROM rocks ORDER BY name')).toBe('gneiss|as it was');
    await page.locator('.toast').getByRole('button').click();
    await picture(page, 'backups');
    await page.setViewportSize({ width: 360, height: 800 });
    await rows(page).first().scrollIntoViewIfNeeded();
    await picture(page, 'backups-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  await test.step('a purge says that there is a backup', async () => {
    await api.remove(`/instances/${instance.id}?terminate=true`);
    await page.getByRole('status', { name: 'Archived' }).getByRole('button', { name: 'Delete data…' }).click();
    const dialog = page.getByRole('dialog', { name: `Delete data of ${NAME}?` });
    await expect(dialog.getByRole('note', { name: 'Backup' })).toContainText(/Last backup: .*, \d/);
    await picture(page, 'purge-backup');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('a deleted backup is gone', async () => {
    await rows(page).first().getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: /^Delete the backup of .*\?$/ });
    await expect(dialog).toContainText('It is the only complete backup of this instance.');
    await dialog.getByRole('button', { name: 'Delete backup' }).click();
    await expect(dialog).toBeHidden();
    await expect(rows(page)).toHaveCount(0, WORKED);
    await expect(card(page)).toContainText('There is no backup yet.');
  });
});

test.describe('without the key that decrypts', () => {
  test.use({ hasIdentity: false });

  test('backups are made, but not restored, and the card says why', async ({ page, program }) => {
    const api = await Api.signIn(program);
    const instance = await create(api, program);
    expect((await api.build(instance.id)).status).toBe('running');
    await page.goto(`/instances/${instance.id}/data`);
    await signIn(page, program);
    const note = card(page).getByRole('note', { name: 'Backups cannot be restored or verified here.' });
    await expect(note).toContainText('No file of private keys is set.');
    await backUp(page).click();
    await expect(rows(page).first()).toContainText('Complete', WORKED);
    for (const name of ['Verify', 'Restore…']) {
      await expect(rows(page).first().getByRole('button', { name })).toHaveAttribute('aria-disabled', 'true');
    }
    await expect(rows(page).first().getByRole('button', { name: 'Delete…' })).toHaveAttribute('aria-disabled', 'false');
    await picture(page, 'backups-without-key');
  });
});

function create(api: Api, program: Program): Promise<Instance> {
  return api.post('/instances', site(program, NAME, 'geology'));
}

function card(page: Page): Locator {
  return page.getByRole('region', { name: 'Backups', exact: true });
}

function backUp(page: Page): Locator {
  return card(page).getByRole('button', { name: 'Back up now' });
}

/** The backups, without the row of the columns' names. */
function rows(page: Page): Locator {
  return card(page).getByRole('row').filter({ has: page.getByRole('cell') });
}
