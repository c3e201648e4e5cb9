// One's own account: the password, SSH keys, API tokens, and the browsers that one is signed in with.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { FAKE_MACHINES, expect, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES, permissions: ['clipboard-read', 'clipboard-write'] });

const OLD = 'seven otters juggle lamps';
const NEW = 'nine badgers paint clocks';

test('a password, tokens and sessions of one’s own', async ({ page, program, browser }) => {
  const admin = await Api.signIn(program);
  await admin.post('/users', { username: 'grace', password: OLD, role: 'operator' });
  const grace = { username: 'grace', password: OLD };

  await test.step('the menu leads to the account, and shows only what the role allows', async () => {
    await page.goto('/');
    await signIn(page, grace);
    await page.getByLabel('Menu of grace').click();
    await expect(page.getByRole('link', { name: 'Activity' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Users' })).toHaveCount(0);
    await page.getByRole('link', { name: 'Account' }).click();
    await expect(page.getByText('Signed in as grace (operator)')).toBeVisible();
  });

  const tokens = page.getByRole('region', { name: 'API tokens' });
  let secret = '';
  await test.step('a token is created with its scopes, and shown only once', async () => {
    await tokens.getByRole('button', { name: 'New token…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New API token' });
    const make = dialog.getByRole('button', { name: 'Create token' });
    await expect(make).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('Name', { exact: true }).fill('nightly deploy');
    await expect(dialog.getByRole('checkbox', { name: /^admin/ })).toBeDisabled();
    await dialog.getByRole('checkbox', { name: /^deploy/ }).check();
    await dialog.getByLabel('Expires after').selectOption('7 days');
    await make.click();
    const shown = page.getByRole('dialog', { name: 'The new API token' });
    secret = await shown.getByRole('textbox', { name: 'Token' }).innerText();
    await shown.getByRole('button', { name: 'Copy', exact: true }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await page.keyboard.press('Escape');
    await expect(shown, 'there is no second look').toBeVisible();
    await shown.getByRole('button', { name: 'I have copied it' }).click();
    await expect(shown).toBeHidden();
    await expect(tokens.getByRole('listitem')).toContainText('nightly deploy');
    await expect(tokens.getByRole('listitem')).toContainText('read, deploy');
    await expect(tokens.getByRole('listitem')).toContainText('never used');
    expect(await page.content()).not.toContain(secret);
  });

  const elsewhere = await browser.newContext({ baseURL: program.url });
  const other = await elsewhere.newPage();
  await test.step('another browser appears, and is signed out', async () => {
    await other.goto('/');
    await signIn(other, grace);
    await expect(sessions(page)).toHaveCount(2);
    await expect(sessions(page).filter({ hasText: 'Current session' })).toHaveCount(1);
    await expect(sessions(page).first()).toContainText('Chrome on Linux');
    await picture(page, 'account');
    await sessions(page).getByRole('button', { name: /^End the session/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
    await expect(sessions(page)).toHaveCount(1);
    await expect(other.getByRole('button', { name: 'Sign in' })).toBeVisible();
    const all = page.getByRole('button', { name: 'Sign out other sessions…' });
    await expect(all).toHaveAttribute('aria-disabled', 'true');
    await expect(all).toHaveAttribute('title', 'This is the only one.');
    await signIn(other, grace);
    await expect(sessions(page)).toHaveCount(2);
    await all.click();
    await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
    await expect(sessions(page)).toHaveCount(1);
  });

  await test.step('the token works until it is revoked', async () => {
    const ask = () => fetch(`${program.url}/api/v1/auth/me`, { headers: { Authorization: `Bearer ${secret}` } });
    expect((await ask()).status).toBe(200);
    await expect(tokens.getByRole('listitem')).toContainText('last used just now');
    await tokens.getByRole('button', { name: 'Revoke nightly deploy…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await expect(tokens).toContainText('No tokens.');
    expect((await ask()).status).toBe(401);
  });

  await test.step('an error in a password is shown at its field', async () => {
    const form = page.getByRole('form', { name: 'Password' });
    const change = form.getByRole('button', { name: 'Change password' });
    await form.getByLabel('Current password').fill('something else');
    await form.getByLabel('New password').fill('password12');
    await change.click();
    await expect(form.getByLabel('Current password')).toHaveAccessibleDescription(/This is not your password/);
    await form.getByLabel('Current password').fill(OLD);
    await change.click();
    await expect(form.getByLabel('New password')).toHaveAttribute('aria-invalid', 'true');
    await form.getByLabel('Show password').check();
    await expect(form.getByLabel('New password')).toHaveAttribute('type', 'text');
    await form.getByLabel('New password').fill(NEW);
    await expect(form.getByLabel('New password')).not.toHaveAttribute('aria-invalid', 'true');
    await change.click();
    await expect(page.getByText('Your password is changed. Your other sessions have ended.')).toBeVisible();
    await expect(form.getByLabel('New password')).toHaveValue('');
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Account' }), 'this session goes on').toBeVisible();
    await expect(Api.signIn(program, 'grace', OLD)).rejects.toThrow('401');
    await Api.signIn(program, 'grace', NEW);
  });

  await test.step('the screen fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await expect(sessions(page).first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await picture(page, 'account-phone');
  });
  await elsewhere.close();
});

function sessions(page: Page): Locator {
  return page.getByRole('region', { name: 'Sessions' }).getByRole('listitem');
}

const PUBLIC = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR';
const FINGERPRINT = 'SHA256:PkHxyQHXdlacZkVs2nvhkY9x4y3BSsrnBF6fpwTZuSM';

test('SSH keys of one’s own, and the line to log in with them', async ({ page, program }) => {
  test.setTimeout(300_000);
  const admin = await Api.signIn(program);
  await admin.post('/users', { username: 'grace', password: OLD, role: 'operator' });
  await admin.post('/users', { username: 'eve', password: OLD, role: 'viewer' });
  const keys = page.getByRole('region', { name: 'SSH keys' });
  const dialog = page.getByRole('dialog', { name: 'New SSH key' });
  const add = dialog.getByRole('button', { name: 'Add key' });
  await page.goto('/account');
  await signIn(page, { username: 'grace', password: OLD });

  await test.step('a private key is refused at its field', async () => {
    await keys.getByRole('button', { name: 'Add key…' }).click();
    await expect(add).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('Public key').fill('-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----');
    await add.click();
    await expect(dialog).toContainText('This is a private key, which must stay with its owner.');
  });

  await test.step('a public key is added, and its fingerprint can be copied', async () => {
    await dialog.getByLabel('Public key').fill(`${PUBLIC} grace@laptop`);
    await add.click();
    await expect(dialog).toBeHidden();
    await expect(keys.getByRole('listitem')).toContainText('grace@laptop');
    await expect(keys.getByRole('listitem')).toContainText(FINGERPRINT);
    await keys.getByRole('button', { name: 'Copy the fingerprint' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(FINGERPRINT);
  });

  const school = await admin.create('Chemistry Academy', 'chemistry', { configuration_extra_settings: 'demo_fail_message: "the mirror is away"\n' });
  const broken = await admin.build(school.id);
  const address = `/instances/${school.id}/app-servers/${broken.id}`;
  const copied = page.getByRole('button', { name: 'Copy the SSH command' });
  const line = /^ssh( -p \d+)? \w+@[\d.:a-f]+$/;

  await test.step('a failed build says how to log in to its machine', async () => {
    await page.goto(address);
    const failure = page.getByRole('region', { name: 'Failure', exact: true });
    await expect(failure).toContainText('Its machine is kept, so that you can look at it.');
    await failure.getByRole('button', { name: 'Copy the SSH command' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(line);
    await expect(copied).toHaveCount(2);
  });

  await test.step('the page says who may log in', async () => {
    await page.getByText('SSH access', { exact: true }).click();
    await expect(page.getByText('1 person, 1 key')).toBeVisible();
    await expect(page.locator('details', { hasText: 'SSH access' })).toContainText(FINGERPRINT);
  });

  await test.step('the list of machines has the line, too', async () => {
    await page.goto('/servers');
    await copied.click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(line);
    await expect(page, 'the button does not follow the link of its row').toHaveURL(`${program.url}/servers`);
  });

  await test.step('the key is deleted, and lets in no more', async () => {
    await page.goto('/account');
    await keys.getByRole('button', { name: 'Delete grace@laptop…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(keys.getByRole('listitem')).toHaveCount(0);
    await page.goto(address);
    await expect(page.locator('details', { hasText: 'SSH access' })).toContainText('no one', { timeout: 30_000 });
  });

  await test.step('a viewer sees no line', async () => {
    await page.context().clearCookies();
    await page.goto(address);
    await signIn(page, { username: 'eve', password: OLD });
    await expect(page.getByRole('region', { name: 'Failure', exact: true })).toContainText('Its machine is kept');
    await expect(copied).toHaveCount(0);
    await page.goto('/account');
    await expect(keys).toContainText('Your role may not log in to machines.');
  });
});
