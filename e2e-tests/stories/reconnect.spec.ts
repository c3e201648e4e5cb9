// The connection goes and comes back: the screen says so, shows afterwards what happened meanwhile, and loses nothing typed.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { Database } from '../support/database.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

// Between two tries the browser waits, longer from time to time.
const BACK = { timeout: 45_000 };

test('the program is started anew: what was asked meanwhile says so, what was typed and what changed is there', async ({
  page,
  program,
}) => {
  const instance = await (await Api.signIn(program)).create('Astronomy Academy', 'astro');
  await page.goto(`/instances/${instance.id}/settings`);
  await signIn(page, program);
  await expect(link(page)).toHaveText('live');
  await page.evaluate(() => document.body.setAttribute('data-never-reloaded', ''));
  await page.getByLabel('Contact e-mail').fill('stars@campus.example');

  await test.step('first it tries again, then it says that it is offline', async () => {
    const halted = program.halt();
    await expect(link(page)).toHaveText('reconnecting…');
    await halted;
    await expect(link(page)).toHaveText('offline');
    await expect(banner(page)).toContainText('This page may be out of date');
    await picture(page, 'offline');
  });

  await test.step('what is asked now says in its place that it was not done', async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByRole('alert')).toContainText('The server does not answer');
    await expect(dialog.getByRole('alert')).toContainText('nothing of yours is lost');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByLabel('Contact e-mail')).toHaveValue('stars@campus.example');
  });

  await test.step('it runs again, and others work with it, before this browser reaches it', async () => {
    await page.context().setOffline(true);
    await program.resume();
    const api = await Api.signIn(program);
    await api.change(instance.id, { name: 'Astrophysics Academy' });
    await api.activate((await api.build(instance.id)).id);
    await expect(link(page)).toHaveText('offline');
    await expect(page.getByRole('heading', { name: 'Astronomy Academy' })).toBeVisible();
  });

  await test.step('all of it appears once the connection is back', async () => {
    await page.context().setOffline(false);
    await expect(link(page)).toHaveText('live', BACK);
    await expect(banner(page)).toHaveCount(0);
    await expect(page.getByRole('heading', { name: 'Astrophysics Academy' })).toBeVisible();
    const row = page.getByRole('navigation', { name: 'Instances' }).getByRole('link', { name: /Astrophysics Academy/ });
    await expect(row.locator('.mark.good')).toBeVisible();
    await expect(page.locator('body'), 'without a reload').toHaveAttribute('data-never-reloaded');
  });

  await test.step('what was typed before is still there, and is saved now', async () => {
    await expect(page.getByLabel('Contact e-mail')).toHaveValue('stars@campus.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'Save these changes?' }).getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Settings saved. Launch a new AppServer to apply them.')).toBeVisible();
  });
});

test('a session that ended meanwhile leads through the login back to the same page', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await api.create('Botany Academy', 'botany');
  const here = `/instances/${instance.id}/log?here=1`;
  await page.goto(here);
  await signIn(page, program);
  await expect(link(page)).toHaveText('live');

  await program.halt();
  await expect(link(page)).toHaveText('offline');
  await page.context().setOffline(true);
  await program.resume();
  // Ended are all sessions but the one that asks.
  await (await Api.signIn(program)).remove('/auth/sessions');
  await page.context().setOffline(false);

  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible(BACK);
  await signIn(page, program);
  await expect(page).toHaveURL(`${program.url}${here}`);
  await expect(page.getByRole('heading', { name: 'Botany Academy' })).toBeVisible();
  await expect(link(page)).toHaveText('live');
});

test('what the server itself missed is read again', async ({ page, program }) => {
  const instance = await (await Api.signIn(program)).create('Chemistry Academy', 'chemistry');
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);
  await expect(link(page)).toHaveText('live');
  await expect(page.getByRole('heading', { name: 'Chemistry Academy' })).toBeVisible();

  // No event tells of this change, only that the connection on which events come broke.
  new Database(program).run(`
    UPDATE instances SET name = 'Alchemy Academy', version = version + 1 WHERE id = ${instance.id};
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' AND pid <> pg_backend_pid();`);
  await expect(page.getByRole('heading', { name: 'Alchemy Academy' })).toBeVisible();
  await expect(link(page)).toHaveText('live');
});

/** What the bar says of the connection. */
function link(page: Page): Locator {
  return page.getByTitle('Whether changes appear by themselves');
}

function banner(page: Page): Locator {
  return page.getByRole('alert').filter({ hasText: 'The server has not answered since' });
}
