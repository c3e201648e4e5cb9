// The first quarter of an hour: there is no instance yet, and each screen says what to do next until one serves.
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

test('from nothing to an instance that serves', async ({ page, program }) => {
  const lane = (name: string) => page.getByRole('article', { name });

  await test.step('the login asks for a user, and home greets the user', async () => {
    await page.goto('/');
    await expect(page.getByLabel('Username')).toBeFocused();
    await picture(page, 'login');
    await page.getByLabel('Username').fill(program.username);
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('form', { name: 'Sign in' }).getByRole('alert')).toBeVisible();
    await signIn(page, program);
    await expect(page.getByRole('heading', { name: /^(Good (morning|afternoon|evening)!|Working late, eh\?)$/ })).toBeVisible();
    await expect(page.getByText('No instances yet.')).toBeVisible();
  });

  await test.step('the form shows each error at its field', async () => {
    await page.getByRole('link', { name: 'Create your first instance' }).click();
    await page.getByLabel('Name', { exact: true }).fill('First Academy');
    await page.getByLabel('Subdomain').fill('First Academy');
    await page.getByRole('button', { name: 'Create instance' }).click();
    const field = page.getByLabel('Subdomain');
    await expect(field).toBeFocused();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(/Use lower-case letters/);
    await picture(page, 'new-instance');
    await field.fill('first');
    await expect(field).not.toHaveAttribute('aria-invalid', 'true');
    await page.getByRole('button', { name: 'Create instance' }).click();
    await expect(page.getByText('First Academy created. Next: launch its first app server.')).toBeVisible();
    await expect(page.getByRole('heading', { name: 'First Academy' })).toBeVisible();
  });

  await test.step('the instance says that no app server is active, and offers the launch', async () => {
    await expect(lane('Now serving')).toContainText('No active app server');
    await lane('Next').getByRole('button', { name: 'Launch new AppServer' }).click();
    await expect(page.getByRole('heading', { name: 'AppServer 1' })).toBeVisible();
    await expect(lane('Next').getByRole('progressbar')).toBeVisible();
    await expect(lane('Next').getByRole('button', { name: 'Activate this app server' })).toHaveAttribute('aria-disabled', 'false', { timeout: 60_000 });
  });

  await test.step('home says that the instance needs attention', async () => {
    await page.getByRole('link', { name: 'OpenCraft Instance Manager' }).click();
    const waits = page.getByRole('region', { name: 'Needs attention' });
    await expect(waits).toContainText('AppServer 1 is ready to activate');
    await waits.getByRole('link', { name: 'First Academy' }).click();
  });

  await test.step('activate it', async () => {
    await lane('Next').getByRole('button', { name: 'Activate this app server' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Activate AppServer 1' }).click();
    await expect(page.getByText('AppServer 1 is now active.')).toBeVisible();
    await expect(lane('Now serving')).toContainText('AppServer 1');
  });

  await test.step('home shows what happened', async () => {
    await page.getByRole('link', { name: 'OpenCraft Instance Manager' }).click();
    await expect(page.getByRole('region', { name: 'Recent activity' })).toContainText('AppServer 1 is active');
    await expect(page.getByText('Nothing needs attention.')).toBeVisible();
    await expect(page.getByRole('link', { name: 'Create your first instance' })).toHaveCount(0);
    await picture(page, 'home');
  });
});
