// Builds that migrate a real PostgreSQL database: what is said before, meanwhile and afterwards; a failure, whose snapshot is restored;
// one in front of visitors, about which a person decides; and a rollback that brings the database back.
import type { Locator, Page } from '@playwright/test';
import { Api, type Instance } from '../support/api.ts';
import { loginOf, playbook, site, test, WORKED } from '../support/outside.ts';
import type { Login, Postgres } from '../support/postgres.ts';
import type { Program } from '../support/program.ts';
import { expect, picture, signIn } from '../support/story.ts';

const NAME = 'Geology Academy';
/** Who may roll back, but not restore. */
const OPERATOR = { username: 'grace', password: 'seven otters juggle lamps' };
/** Variables of a build that fails. */
const FAILS = 'demo_fail_message: "column rocks.age does not exist"\n';

test('migrate behind the page, fail, decide, and roll back with the database', async ({ page, browser, program, postgres }) => {
  test.setTimeout(240_000);
  const api = await Api.signIn(program);
  const instance = await api.post<Instance>('/instances', { ...site(program, NAME, 'geology'), playbooks: [playbook(program, 'v1')] });
  const first = await api.build(instance.id);
  expect(first.status).toBe('running');
  await api.activate(first.id);
  const login = await loginOf(api, instance);
  postgres.run(login, "CREATE TABLE rocks (name TEXT PRIMARY KEY); INSERT INTO rocks VALUES ('gneiss')");
  await next(api, program, instance, 'v2', 'demo_pause_seconds: 4\n');
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);

  await test.step('the launch says what it migrates, and what the snapshot contains', async () => {
    const dialog = await launchDialog(page);
    const note = dialog.getByRole('note', { name: 'Migration' });
    await expect(note).toContainText(/This build migrates the databases from \S+ v1 to \S+ v2\./);
    await expect(note).toContainText('Before it does, a snapshot is taken: PostgreSQL database main.');
    await expect(dialog).toContainText('If the build fails, its machine is deleted, the snapshot is restored');
    await dialog.getByLabel('Without the maintenance page').check();
    await expect(dialog).toContainText('Visitors go on to use the site.');
    await dialog.getByLabel('Without the maintenance page').uncheck();
    await picture(page, 'migration-launch');
    await dialog.getByRole('button', { name: 'Launch' }).click();
    await expect(dialog).toBeHidden();
  });

  await test.step('visitors get the page while it migrates', async () => {
    await expect(banner(page)).toContainText(/migrates the databases from \S+ v1 to \S+ v2\./, WORKED);
    await expect(maintenance(page)).toContainText('“The site is being upgraded. Please come back in a while.”');
    await picture(page, 'migration-banner');
  });

  await test.step('after the success the page stays up until the new app server is activated', async () => {
    await expect(banner(page)).toContainText('activate it, which takes the maintenance page down', WORKED);
    await expect(maintenance(page)).toBeVisible();
    await page.getByRole('article', { name: 'Next' }).getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 2?' });
    await dialog.getByRole('button', { name: 'Activate AppServer 2' }).click();
    await expect(dialog).toBeHidden();
    await expect(maintenance(page)).toHaveCount(0);
    await expect(banner(page)).toHaveCount(0);
    await page.locator('.toast').getByRole('button').click();
  });

  postgres.run(login, "INSERT INTO rocks VALUES ('slate')");

  await test.step('of a build that fails, the snapshot is restored', async () => {
    await next(api, program, instance, 'v3', FAILS);
    const failed = api.build(instance.id);
    await expect(maintenance(page)).toBeVisible(WORKED);
    postgres.run(login, "INSERT INTO rocks VALUES ('half migrated')");
    expect((await failed).status).toBe('failed');
    await expect(banner(page)).toContainText('AppServer 3 migrated the databases', WORKED);
    await expect(banner(page)).toContainText('which was undone: they are as they were when the snapshot was taken.');
    await expect(maintenance(page)).toHaveCount(0);
    await picture(page, 'migration-restored');
    await dismiss(page);
  });

  await test.step('of one that fails in front of visitors, nothing is restored by itself', async () => {
    const dialog = await launchDialog(page);
    await dialog.getByLabel('Without the maintenance page').check();
    await dialog.getByRole('button', { name: 'Launch' }).click();
    await expect(banner(page)).toContainText('AppServer 4 failed while it migrated the databases', WORKED);
    await expect(banner(page)).toContainText('Visitors could write meanwhile');
    await expect(banner(page)).toContainText(/Backup \d+ can be restored: what was written since .* would be lost\./);
    await expect(maintenance(page)).toHaveCount(0);
    await picture(page, 'migration-needs-person');
    await dismiss(page);
  });

  await test.step('an operator, who may roll back, is told who may restore', async () => {
    await api.post('/users', { ...OPERATOR, role: 'operator' });
    const other = await browser.newPage({ baseURL: program.url });
    await other.goto(`/instances/${instance.id}`);
    await signIn(other, OPERATOR);
    const dialog = await rollbackDialog(other);
    await expect(dialog.getByLabel(/^Restore the snapshot of \d/)).toBeDisabled();
    await expect(dialog).toContainText('Only an administrator can restore it.');
    await expect(dialog.getByRole('button', { name: 'Roll back to AppServer 1' })).toHaveAttribute('aria-disabled', 'false');
    await other.close();
  });

  await test.step('a rollback over the migration says what it does not undo, and offers the restore', async () => {
    const dialog = await rollbackDialog(page);
    await expect(dialog.getByRole('note', { name: 'Migration' })).toContainText(/AppServer 2 has migrated the databases .* since\./);
    await dialog.getByLabel(/^Restore the snapshot of \d/).check();
    await expect(dialog.getByRole('listitem')).toContainText([
      'Visitors get the maintenance page, and AppServer 1 gets the traffic behind it.',
      'The files of the backup are checked.',
      'What was written since',
      'When all are complete,',
    ]);
    const confirm = dialog.getByRole('button', { name: 'Roll back and restore' });
    await expect(confirm).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('to confirm').fill(NAME);
    await dialog.getByLabel('Reason').fill('the exams are gone');
    await expect(dialog.locator('.checks .good').first()).toBeVisible();
    await dialog.getByRole('note', { name: 'Migration' }).scrollIntoViewIfNeeded();
    await picture(page, 'migration-rollback');
    await confirm.click();
    await expect(dialog.getByRole('status', { name: 'Restore' })).toContainText('The databases are as they were', WORKED);
    await expect(dialog.getByRole('list', { name: 'Switch' }).getByRole('listitem').nth(1)).toContainText('Traffic switched');
    await picture(page, 'migration-rollback-done');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });

  await test.step('the old app server serves again, with the database of its time', async () => {
    await expect(page.getByRole('article', { name: 'Now serving' })).toContainText('AppServer 1');
    await expect(banner(page)).toContainText('AppServer 2 migrated the databases');
    await expect(maintenance(page)).toHaveCount(0);
    await expect(page.getByRole('status', { name: 'Hold' })).toContainText('the exams are gone');
    expect(rocks(postgres, login)).toBe('gneiss');
  });
});

/** Saves the settings of the next launch: another version of the playbook, and its variables. */
async function next(api: Api, program: Program, instance: Instance, version: string, variables: string): Promise<void> {
  await api.change(instance.id, { playbooks: [playbook(program, version)], variables });
}

async function launchDialog(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Launch new AppServer' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Launch new AppServer?' });
  await expect(dialog).toBeVisible();
  return dialog;
}

async function rollbackDialog(page: Page): Promise<Locator> {
  await page.getByRole('article', { name: 'Now serving' }).getByRole('button', { name: 'Roll back to AppServer 1' }).click();
  const dialog = page.getByRole('dialog', { name: 'Roll back to AppServer 1?' });
  await expect(dialog.getByLabel('Keep the databases as they are')).toBeChecked();
  return dialog;
}

async function dismiss(page: Page): Promise<void> {
  await banner(page).getByRole('button', { name: 'Dismiss' }).click();
  await expect(banner(page)).toHaveCount(0);
}

function banner(page: Page): Locator {
  return page.getByRole('status', { name: 'Migration' });
}

function maintenance(page: Page): Locator {
  return page.getByRole('status', { name: 'Maintenance page' });
}

function rocks(postgres: Postgres, login: Login): string {
  return postgres.run(login, 'SELECT name FROM rocks ORDER BY name');
}
