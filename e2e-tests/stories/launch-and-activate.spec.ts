// The main job with real machines: from an empty manager to an Open edX instance whose app servers are switched back and
// forth under load. From the first activation to the end no request fails, and from 2 s after each confirmed switch no
// visitor gets the old app server.
import type { Locator, Page } from '@playwright/test';
import { Load } from '../support/load.ts';
import { expect, picture, signIn, test } from '../support/story.ts';

const HOSTS = { lms: 'story.localhost', studio: 'studio.story.localhost' };
// For the demo configuration on two busy cores; the manual says one minute on idle ones.
const BUILT_WITHIN_MS = 240_000;
const OLD_GONE_WITHIN_MS = 2_000;

test('launch, activate, launch a second one, activate it, roll back', async ({ page, program }) => {
  test.setTimeout(900_000);
  const load = new Load(program.gatewayPort, Object.values(HOSTS));

  await test.step('log in and create the first instance', async () => {
    await page.goto('/');
    await signIn(page, program);
    await picture(page, 'home-empty');
    await buttonOrLink(page, 'Create your first instance').click();
    await page.getByLabel('Name', { exact: true }).fill('Story Academy');
    await page.getByLabel('Subdomain').fill('story');
    await page.getByRole('button', { name: 'Create instance' }).click();
    await expect(page.getByRole('heading', { name: 'Story Academy' })).toBeVisible();
    await expect(page.getByText('No active app server').first()).toBeVisible();
    await expect(page.getByRole('link', { name: 'Pull Request (n/a)' })).toBeVisible();
  });

  await test.step('launch AppServer 1 and watch its log live', async () => {
    await launch(page, 1);
    await watchLog(page);
    await expectRunning(page);
  });

  await test.step('activate AppServer 1 and open the LMS through the gateway', async () => {
    await activate(page, 1);
    load.start();
    const link = page.getByRole('link', { name: new RegExp(`^https?://${HOSTS.lms}:${program.gatewayPort}/?$`) });
    await expect(link.first()).toBeVisible();
    const [lms] = await Promise.all([page.waitForEvent('popup'), link.first().click()]);
    await expect(lms.locator('body')).toContainText('Story Academy');
    await lms.close();
  });

  await test.step('launch AppServer 2 while AppServer 1 serves', async () => {
    await launch(page, 2);
    await expectRunning(page);
    await picture(page, 'app-servers');
  });

  await test.step('activate AppServer 2', async () => {
    await switchUnderLoad(load, () => activate(page, 2, () => picture(page, 'activate')));
  });

  await test.step('roll back to AppServer 1', async () => {
    await switchUnderLoad(load, () => rollBack(page, 1));
    await picture(page, 'rolled-back');
  });

  await test.step('release the hold that the roll back set', async () => {
    const hold = page.getByRole('status', { name: 'Hold' });
    await expect(hold).toContainText(`by ${program.username}`);
    await hold.getByRole('button', { name: 'Release hold' }).click();
    await expect(hold).toBeHidden();
  });

  const result = await load.stop();
  console.log(`${result.ok} requests answered, ${result.failed} failed, ${result.perSecond.toFixed(0)}/s`);
  expect(result.reasons).toEqual({});
  expect(result.perSecond, 'the load was a load').toBeGreaterThan(190);
});

/** Ends with the new app server selected. */
async function launch(page: Page, number: number): Promise<void> {
  const list = page.getByRole('complementary', { name: 'App Servers' });
  await list.getByRole('button', { name: 'Launch new AppServer' }).click();
  const listed = list.getByRole('link', { name: new RegExp(`AppServer ${number}\\b`) });
  await expect(listed).toBeVisible();
  await listed.click();
  await expect(page).toHaveURL(/\/instances\/\d+\/app-servers\/\d+$/);
  await expect(page.getByRole('heading', { name: `AppServer ${number}` })).toBeVisible();
}

/** The log grows without a reload while the playbooks run. */
async function watchLog(page: Page): Promise<void> {
  const log = page.getByRole('log');
  await expect(page.getByText('Configuring VM').first()).toBeVisible({ timeout: BUILT_WITHIN_MS });
  await expect(log).toContainText('TASK [', { timeout: 60_000 });
  const seen = await log.innerText();
  await expect.poll(() => log.innerText(), { timeout: 60_000 }).not.toBe(seen);
  await picture(page, 'building');
}

/** “Activate this app server” can be pressed only when the selected app server runs. */
async function expectRunning(page: Page): Promise<void> {
  await expect(activateButton(page)).toBeEnabled({ timeout: BUILT_WITHIN_MS });
}

async function activate(page: Page, number: number, whileAsked?: () => Promise<void>): Promise<void> {
  await activateButton(page).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await whileAsked?.();
  await page.getByRole('dialog').getByRole('button', { name: `Activate AppServer ${number}` }).click();
  await expectActive(page, number);
}

async function rollBack(page: Page, number: number): Promise<void> {
  const serving = page.getByRole('article', { name: 'Now serving' });
  await serving.getByRole('button', { name: `Roll back to AppServer ${number}` }).click();
  const dialog = page.getByRole('dialog', { name: `Roll back to AppServer ${number}?` });
  await expect(dialog).toContainText('Also puts automatic activation on hold');
  await dialog.getByRole('button', { name: `Roll back to AppServer ${number}` }).click();
  await expectActive(page, number);
}

async function expectActive(page: Page, number: number): Promise<void> {
  await expect(page.getByText(`AppServer ${number} is now active.`).first()).toBeVisible({ timeout: 60_000 });
}

/** Switches, and proves from the visitors' side that only the new app server answers soon after. */
async function switchUnderLoad(load: Load, change: () => Promise<void>): Promise<void> {
  const began = Date.now();
  await change();
  const oldIsGoneAt = Date.now() + OLD_GONE_WITHIN_MS;
  for (const host of Object.values(HOSTS)) {
    await expect.poll(() => load.count(host, oldIsGoneAt), { message: `${host} answers after the switch` }).toBeGreaterThan(100);
    const before = load.pages(host, began - 2_000, began);
    const after = load.pages(host, oldIsGoneAt);
    expect(before.size, `${host} was seen before the switch`).toBeGreaterThan(0);
    expect(
      [...after].filter((body) => before.has(body)),
      `${host}: answers of the old app server later than ${OLD_GONE_WITHIN_MS / 1000} s after the switch`,
    ).toEqual([]);
  }
}

/** The button in the lane “Next”; the selected app server's actions have the same one. */
function activateButton(page: Page): Locator {
  return page.getByRole('article', { name: 'Next' }).getByRole('button', { name: 'Activate this app server' });
}

function buttonOrLink(page: Page, name: string): Locator {
  return page.getByRole('button', { name }).or(page.getByRole('link', { name }));
}
