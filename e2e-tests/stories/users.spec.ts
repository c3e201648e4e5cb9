// Who may sign in, and what they may do: an administrator's screen.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { FAKE_MACHINES, expect, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

const PASSWORD = 'seven otters juggle lamps';

test('users are created, changed and deleted, and the last administrator stays', async ({ page, program, browser }) => {
  await test.step('the last administrator sees before a click that the role stays', async () => {
    await page.goto('/');
    await signIn(page, program);
    await page.getByLabel(`Menu of ${program.username}`).click();
    await page.getByRole('link', { name: 'Users' }).click();
    await expect(page).toHaveURL(/\/admin\/users$/);
    const own = row(page, program.username);
    await expect(own).toContainText('You');
    const remove = own.getByRole('button', { name: 'Delete…' });
    await expect(remove).toHaveAttribute('aria-disabled', 'true');
    await expect(remove).toHaveAttribute('title', /This is the last active administrator/);
    await own.getByRole('button', { name: 'Edit role…' }).click();
    const dialog = page.getByRole('dialog', { name: `Change ${program.username}` });
    await expect(dialog.getByRole('radio', { name: /^viewer/ })).toBeDisabled();
    await expect(dialog.getByLabel('May sign in')).toBeDisabled();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('a user is created once name and password are valid', async () => {
    await page.getByRole('button', { name: 'New user…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New user' });
    const make = dialog.getByRole('button', { name: 'Create user' });
    await expect(make).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('Username').fill(program.username);
    await make.click();
    await expect(dialog.getByLabel('Username')).toHaveAccessibleDescription(/choose another name/);
    await dialog.getByLabel('Username').fill('grace');
    await dialog.getByLabel('Password', { exact: true }).fill('grace12345');
    await make.click();
    await expect(dialog.getByLabel('Password', { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await picture(page, 'user-new');
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await dialog.getByRole('radio', { name: /^operator/ }).check();
    await make.click();
    await expect(page.getByText('grace created.')).toBeVisible();
    await expect(row(page, 'grace')).toContainText('operator');
    await expect(row(page, 'grace')).toContainText('never signed in');
  });

  const theirs = await browser.newContext({ baseURL: program.url });
  const other = await theirs.newPage();
  const grace = { username: 'grace', password: PASSWORD };
  await test.step('a user who is no administrator is told so, with a link to another screen', async () => {
    await other.goto('/admin/users');
    await signIn(other, grace);
    await expect(other.getByRole('heading', { name: 'You do not have access' })).toBeVisible();
    await expect(other.getByText('This needs the role admin.')).toBeVisible();
    await other.getByRole('link', { name: 'Go home' }).click();
    await expect(other.getByText("you've come to the right place")).toBeVisible();
    await expect(row(page, 'grace')).toContainText('last signed in just now');
  });

  await test.step('a lower role ends the sessions; a disabled user cannot sign in', async () => {
    await change(page, 'grace', async (dialog) => {
      await dialog.getByRole('radio', { name: /^viewer/ }).check();
      await expect(dialog).toContainText('This signs them out everywhere');
    });
    await expect(row(page, 'grace')).toContainText('viewer');
    await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await change(page, 'grace', (dialog) => dialog.getByLabel('May sign in').uncheck());
    await expect(row(page, 'grace')).toContainText('Disabled');
    await picture(page, 'users');
    await expect(Api.signIn(program, 'grace', PASSWORD)).rejects.toThrow('401');
    await change(page, 'grace', (dialog) => dialog.getByLabel('May sign in').check());
    await expect(row(page, 'grace')).not.toContainText('Disabled');
  });

  await test.step('a password is set', async () => {
    await row(page, 'grace').getByRole('button', { name: 'Password…' }).click();
    const dialog = page.getByRole('dialog', { name: 'A password for grace' });
    await dialog.getByLabel('Password', { exact: true }).fill('short');
    await dialog.getByRole('button', { name: 'Set password' }).click();
    await expect(dialog.getByLabel('Password', { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await dialog.getByLabel('Password', { exact: true }).fill('nine badgers paint clocks');
    await dialog.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByText('grace has a new password.')).toBeVisible();
    await Api.signIn(program, 'grace', 'nine badgers paint clocks');
  });

  const admin = await Api.signIn(program);
  const users = await admin.get<{ items: { id: number; username: string }[] }>('/users');
  const id = users.items.find((user) => user.username === 'grace')?.id;
  await test.step('the sessions and tokens of another user are listed and revoked', async () => {
    const own = await Api.signIn(program, 'grace', 'nine badgers paint clocks');
    for (const name of ['nightly deploy', 'old script']) await own.post('/auth/tokens', { name, role: 'viewer' });
    await other.goto('/');
    await signIn(other, { username: 'grace', password: 'nine badgers paint clocks' });
    await row(page, 'grace').getByRole('button', { name: 'Access…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Access of grace' });
    const sessions = dialog.getByRole('region', { name: 'Sessions' });
    const tokens = dialog.getByRole('region', { name: 'API tokens' });
    const confirm = async (name: string, button: string) => {
      await page.getByRole('dialog', { name }).getByRole('button', { name: button, exact: true }).click();
      await expect(page.getByRole('dialog', { name })).toBeHidden();
    };
    await expect(tokens.getByRole('listitem')).toHaveText([/old script/, /nightly deploy/]);
    const browser = sessions.getByRole('listitem').filter({ hasText: 'Chrome on Linux' });
    await expect(browser).toContainText('Last used just now from 127.0.0.1');
    await picture(page, 'user-access');

    // The browser of the user loses its session while it is open.
    await browser.getByRole('button', { name: /^End the session/ }).click();
    await confirm("End grace's session of Chrome on Linux?", 'End');
    await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await expect(browser).toHaveCount(0);
    expect(await own.get('/auth/me'), 'the other session goes on').toMatchObject({ username: 'grace' });

    await tokens.getByRole('button', { name: 'Revoke old script…' }).click();
    await confirm('Revoke old script of grace?', 'Revoke');
    await expect(tokens.getByRole('listitem')).toHaveText([/nightly deploy/]);
    await tokens.getByRole('button', { name: 'Revoke all tokens…' }).click();
    await confirm('Revoke all tokens of grace?', 'Revoke');
    await expect(tokens).toContainText('No tokens.');
    await sessions.getByRole('button', { name: 'End all sessions…' }).click();
    await confirm('End all sessions of grace?', 'End');
    await expect(sessions).toContainText('Not signed in with any browser.');
    await expect(own.get('/auth/me')).rejects.toThrow('401');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect(dialog).toBeHidden();
  });

  await test.step('what another administrator changed meanwhile is not overwritten', async () => {
    await row(page, 'grace').getByRole('button', { name: 'Edit role…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change grace' });
    await dialog.getByRole('radio', { name: /^admin/ }).check();
    await admin.patch(`/users/${id}`, { role: 'operator' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByRole('alert')).toContainText('The user was changed meanwhile');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await expect(row(page, 'grace')).toContainText('operator');
  });

  await test.step('with another administrator the first can be deleted; a user is deleted after confirmation', async () => {
    // A password that is set meanwhile is no conflict with a change of the role.
    await change(page, 'grace', async (dialog) => {
      await dialog.getByRole('radio', { name: /^admin/ }).check();
      await admin.post(`/users/${id}/password`, { password: 'ten badgers paint clocks' });
    });
    const own = row(page, program.username).getByRole('button', { name: 'Delete…' });
    await expect(own).toHaveAttribute('aria-disabled', 'false');
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await picture(page, 'users-phone');
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByLabel('Filter users by name').fill('gra');
    await expect(page.getByRole('region', { name: 'All users' }).getByRole('listitem')).toHaveCount(1);
    await row(page, 'grace').getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete grace' }).click();
    await expect(page.getByText('grace is deleted.')).toBeVisible();
    await expect(page.getByText('No users match.')).toBeVisible();
  });
  await theirs.close();
});

function row(page: Page, name: string): Locator {
  const group = page.getByRole('group', { name, exact: true });
  return page.getByRole('region', { name: 'All users' }).getByRole('listitem').filter({ has: group });
}

async function change(page: Page, name: string, how: (dialog: Locator) => Promise<void>): Promise<void> {
  await row(page, name).getByRole('button', { name: 'Edit role…' }).click();
  const dialog = page.getByRole('dialog', { name: `Change ${name}` });
  await how(dialog);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
}
