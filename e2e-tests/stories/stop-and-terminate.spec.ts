// Ends: a running build is stopped, the machine of an unneeded app server is deleted, and an instance is archived and
// restored. No page is reloaded.
import type { Locator, Page } from '@playwright/test';
import { expect, picture, signIn, test } from '../support/story.ts';

// For the demo configuration on two busy cores.
const BUILT_WITHIN_MS = 240_000;
const STOPPED_WITHIN_MS = 20_000;

test('stop a build, terminate an app server, archive and restore the instance', async ({ page, program }) => {
  test.setTimeout(600_000);

  await test.step('create an instance', async () => {
    await page.goto('/');
    await signIn(page, program);
    await page.getByRole('link', { name: 'Create your first instance' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Passing Academy');
    await page.getByLabel('Subdomain').fill('passing');
    await page.getByRole('button', { name: 'Create instance' }).click();
    await expect(page.getByRole('heading', { name: 'Passing Academy' })).toBeVisible();
  });

  await test.step('launch AppServer 1 and stop it while its playbooks run', async () => {
    await launch(page, 1);
    await expect(next(page)).toContainText(/task \d+ of \d+/, { timeout: BUILT_WITHIN_MS });
    await next(page).getByRole('button', { name: 'Stop build' }).click();
    const dialog = page.getByRole('dialog', { name: 'Stop the build of AppServer 1?' });
    await dialog.getByLabel('Reason').fill('the wrong release');
    await picture(page, 'stop');
    await dialog.getByRole('button', { name: 'Stop build' }).click();
    await expect(page.getByText(`Build stopped by ${program.username}`)).toBeVisible({ timeout: STOPPED_WITHIN_MS });
    await expect(page.getByRole('list', { name: 'Build steps' })).toContainText('stopped');
    await expect(page.getByRole('button', { name: 'Stop build' })).toHaveCount(0);
  });

  await test.step('launch AppServer 2 with a reason, then terminate it', async () => {
    const list = page.getByRole('complementary', { name: 'App Servers' });
    await list.getByText('Launch options', { exact: true }).click();
    const options = list.getByRole('form', { name: 'Launch with options' });
    await options.getByLabel('Reason').fill('the right release');
    await options.getByRole('button', { name: 'Launch' }).click();
    await expect(list.getByRole('link', { name: /AppServer 2\b/ })).toContainText('“the right release”');
    await expect(page.getByRole('heading', { name: 'AppServer 2' })).toBeVisible();
    await expect(next(page).getByRole('button', { name: 'Activate this app server' })).toBeEnabled({ timeout: BUILT_WITHIN_MS });
    await page.getByRole('button', { name: 'Terminate', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Terminate AppServer 2?' });
    await expect(dialog).toContainText('Machine');
    await picture(page, 'terminate');
    await dialog.getByRole('button', { name: 'Terminate AppServer 2' }).click();
    await expect(list.getByRole('link', { name: /AppServer 2\b/ })).toContainText('Terminated');
    await expect(page.getByRole('definition').filter({ hasText: /^Deleted\.$/ })).toBeVisible({ timeout: STOPPED_WITHIN_MS });
    await expect(page.getByRole('button', { name: 'Terminate', exact: true })).toHaveCount(0);
  });

  await test.step('archive the instance', async () => {
    await page.getByRole('link', { name: /^Settings/ }).click();
    await page.getByRole('button', { name: 'Archive…' }).click();
    await page.getByRole('dialog', { name: 'Archive Passing Academy?' }).getByRole('button', { name: 'Archive' }).click();
    await expect(page.getByRole('status', { name: 'Archived' })).toBeVisible();
    await page.getByRole('link', { name: 'App Servers' }).click();
    await expect(page.getByRole('button', { name: 'Launch new AppServer' })).toHaveCount(0);
    await picture(page, 'archived');
  });

  await test.step('find it among the archived instances and restore it', async () => {
    const instances = page.getByRole('navigation', { name: 'Instances' });
    await expect(instances.getByRole('link', { name: /Passing Academy/ })).toHaveCount(0);
    await instances.getByRole('button', { name: 'Archived' }).click();
    await instances.getByRole('link', { name: /Passing Academy/ }).click();
    await page.getByRole('status', { name: 'Archived' }).getByRole('button', { name: 'Restore' }).click();
    await expect(page.getByRole('status', { name: 'Archived' })).toHaveCount(0);
    await instances.getByRole('button', { name: /^All/ }).click();
    await expect(instances.getByRole('link', { name: /Passing Academy/ })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Launch new AppServer' }).first()).toBeEnabled();
  });
});

/** Ends with the new app server selected. */
async function launch(page: Page, number: number): Promise<void> {
  const list = page.getByRole('complementary', { name: 'App Servers' });
  await list.getByRole('button', { name: 'Launch new AppServer' }).click();
  await expect(page.getByRole('heading', { name: `AppServer ${number}` })).toBeVisible();
}

function next(page: Page): Locator {
  return page.getByRole('article', { name: 'Next' });
}
