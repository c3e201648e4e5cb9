// The connection is lost and restored: the screen says so, then shows what changed meanwhile, and no typed text is lost.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { Database } from '../support/database.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

// The browser waits between attempts to connect, and backs off.
const BACK = { timeout: 45_000 };

test('a restart of the program: a failed action says so, typed text stays, and changes appear', async ({
  page,
  program,
}) => {
  const instance = await (await Api.signIn(program)).create('Astronomy Academy', 'astro');
  await page.goto(`/instances/${instance.id}/settings`);
  await signIn(page, program);
  await expect(link(page)).toHaveText('live');
  await page.evaluate(() => document.body.setAttribute('data-never-reloaded', ''));
  await page.getByLabel('Contact e-mail').fill('stars@campus.example');

  await test.step('the page first reconnects, then says that it is offline', async () => {
    const halted = program.halt();
    await expect(link(page)).toHaveText('reconnecting…');
    await halted;
    await expect(link(page)).toHaveText('offline');
    await expect(banner(page)).toContainText('This page may be out of date');
    await picture(page, 'offline');
  });

  await test.step('an action that fails now says so in its place', async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Save these changes?' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByRole('alert')).toContainText('The server does not answer');
    await expect(dialog.getByRole('alert')).toContainText('nothing of yours is lost');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByLabel('Contact e-mail')).toHaveValue('stars@campus.example');
  });

  await test.step('the program runs again, and others use it, before this browser reaches it', async () => {
    await page.context().setOffline(true);
    await program.resume();
    const api = await Api.signIn(program);
    await api.change(instance.id, { name: 'Astrophysics Academy' });
    await api.activate((await api.build(instance.id)).id);
    await expect(link(page)).toHaveText('offline');
    await expect(page.getByRole('heading', { name: 'Astronomy Academy' })).toBeVisible();
  });

  await test.step('all changes appear once the connection is back', async () => {
    await page.context().setOffline(false);
    await expect(link(page)).toHaveText('live', BACK);
    await expect(banner(page)).toHaveCount(0);
    await expect(page.getByRole('heading', { name: 'Astrophysics Academy' })).toBeVisible();
    const row = page.getByRole('navigation', { name: 'Instances' }).getByRole('link', { name: /Astrophysics Academy/ });
    await expect(row.locator('.mark.good')).toBeVisible();
    await expect(page.locator('body'), 'without a reload').toHaveAttribute('data-never-reloaded');
  });

  await test.step('text that was typed before is still there, and can be saved now', async () => {
    await expect(page.getByLabel('Contact e-mail')).toHaveValue('stars@campus.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'Save these changes?' }).getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Settings saved. Launch a new AppServer to apply them.')).toBeVisible();
  });
});

test('after a session has ended, the login returns to the same page', async ({ page, program }) => {
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
  // All sessions end except that of this request.
  await (await Api.signIn(program)).remove('/auth/sessions');
  await page.context().setOffline(false);

  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible(BACK);
  await signIn(page, program);
  await expect(page).toHaveURL(`${program.url}${here}`);
  await expect(page.getByRole('heading', { name: 'Botany Academy' })).toBeVisible();
  await expect(link(page)).toHaveText('live');
});

test('after the server missed events, pages are read again', async ({ page, program }) => {
  const instance = await (await Api.signIn(program)).create('Chemistry Academy', 'chemistry');
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);
  await expect(link(page)).toHaveText('live');
  await expect(page.getByRole('heading', { name: 'Chemistry Academy' })).toBeVisible();

  // No event reports this change; the server only notices that its connection for events broke.
  new Database(program).run(`
    UPDATE instances SET name = 'Alchemy Academy', version = version + 1 WHERE id = ${instance.id};
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' AND pid <> pg_backend_pid();`);
  await expect(page.getByRole('heading', { name: 'Alchemy Academy' })).toBeVisible();
  await expect(link(page)).toHaveText('live');
});

/** The text about the connection in the bar. */
function link(page: Page): Locator {
  return page.getByTitle('Live updates');
}

function banner(page: Page): Locator {
  return page.getByRole('alert').filter({ hasText: 'The server has not answered since' });
}
