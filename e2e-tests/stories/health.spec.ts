// Whether the sites work: the marks come from the checks of the active app server, change without a reload, and are
// independent of the result of its build.
import { readdirSync, readFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { Api, type Instance } from '../support/api.ts';
import type { Program } from '../support/program.ts';
import { Sites } from '../support/sites.ts';
import { expect, FAKE_MACHINES, picture, signIn, test as base } from '../support/story.ts';

const INTERVAL_S = 5;
/** Within one interval and 15 s a failure is on every screen. */
const TOLD = { timeout: (INTERVAL_S + 15) * 1000 };
/** After three intervals without a check, health is unknown. */
const UNKNOWN = { timeout: (3 * INTERVAL_S + 30) * 1000 };

const test = base.extend<{ sites: Sites }>({
  sites: async ({}, use) => {
    const sites = await Sites.start();
    await use(sites);
    await sites.stop();
  },
  settings: async ({ sites }, use) =>
    use({ ...FAKE_MACHINES, OCIM_FAKE_HTTP: sites.address, OCIM_CHECK_INTERVAL: String(INTERVAL_S) }),
});

test('a web server that stops and starts is seen in list, header, lane, home and title', async ({ page, program, sites }) => {
  const api = await Api.signIn(program);
  const instance = await serve(api, 'Geology Academy', 'geology');
  await serve(api, 'History Academy', 'history');
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);
  await page.locator('body').evaluate((body) => body.setAttribute('data-never-reloaded', ''));
  const home = await page.context().newPage();
  await home.goto('/');

  await test.step('healthy: shown by a shape and a word, beside the result of the build', async () => {
    await expect(header(page)).toContainText('AppServer 1: Running', TOLD);
    await expect(header(page)).toContainText('Healthy', TOLD);
    await expect(lane(page)).toContainText('Healthy');
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark good');
    await expect(home.getByText('Nothing needs attention.')).toBeVisible();
    await expect(page).toHaveTitle('Geology Academy · OpenCraft Instance Manager');
    await expect(chip(page, 'Down')).toBeHidden();
  });

  await test.step('one site fails: degraded, and which one', async () => {
    sites.fail('studio.geology.localhost');
    await expect(header(page)).toContainText('Degraded', TOLD);
    await expect(header(page)).toContainText('AppServer 1: Running');
    await expect(lane(page)).toContainText(/Studio has failed its checks since \d+:\d+ UTC/);
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark degraded');
    await expect(disc(page, 'Geology Academy')).toHaveAttribute('aria-label', /Degraded\. Studio has failed its checks/);
    await expect(attention(home).getByRole('listitem')).toContainText(/Geology Academy.*Degraded: Studio has failed its checks since/);
    await expect(page).toHaveTitle('▲ 1 degraded · Geology Academy · OpenCraft Instance Manager');
    await picture(page, 'degraded');
  });

  await test.step('the web server is stopped: all are down, the longest failing first', async () => {
    await sites.stop();
    await expect(header(page)).toContainText('Down', TOLD);
    await expect(lane(page)).toContainText(/LMS and Studio have failed their checks since/, TOLD);
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark bad');
    await expect(disc(page, 'History Academy')).toHaveClass('mark bad', TOLD);
    await expect(attention(home).getByRole('listitem')).toHaveCount(2);
    await expect(home).toHaveTitle('▲ 2 down · OpenCraft Instance Manager');
    await picture(home, 'home-down');
  });

  await test.step('the list is filtered and sorted by health, and the address has it', async () => {
    await chip(home, 'Down').click();
    await expect(chip(home, 'Down')).toHaveText('Down 2');
    await home.getByLabel('Sort by').selectOption('Health');
    await expect(home).toHaveURL('/?show=down&sort=health');
    await home.reload();
    await expect(chip(home, 'Down')).toHaveAttribute('aria-pressed', 'true');
    await expect(home.getByLabel('Sort by')).toHaveValue('health');
    await expect(list(home).locator('.row')).toHaveCount(2);
  });

  await test.step('the web server is started: all are healthy again', async () => {
    sites.mend();
    await sites.resume();
    await expect(header(page)).toContainText('Healthy', TOLD);
    await expect(lane(page)).toContainText('Healthy');
    await expect(lane(page)).not.toContainText('failed');
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark good');
    await expect(page).toHaveTitle('Geology Academy · OpenCraft Instance Manager');
    await expect(home.getByText('Nothing needs attention.')).toBeVisible(TOLD);
    await expect(page.locator('body'), 'without a reload').toHaveAttribute('data-never-reloaded');
  });
});

test('an unhealthy app server is activated by force, and stays unhealthy on the screens', async ({ page, program, sites }) => {
  const api = await Api.signIn(program);
  const instance = await serve(api, 'Geology Academy', 'geology');
  await api.build(instance.id);
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);
  await expect(header(page)).toContainText('Healthy', TOLD);

  await test.step('the dialog refuses while the checks fail, until it is forced with a reason', async () => {
    await sites.stop();
    await page.getByRole('article', { name: 'Next' }).getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 2?' });
    await expect(dialog).toContainText('Health checks failed, so it cannot be activated.');
    const confirm = dialog.getByRole('button', { name: 'Activate AppServer 2' });
    await expect(confirm).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('Activate anyway (skip checks)').check();
    await expect(confirm).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByLabel('Reason').fill('the old one is worse');
    await confirm.click();
    await expect(page.getByText('AppServer 2 is now active.')).toBeVisible();
  });

  await test.step('it runs, but it is down: both are shown', async () => {
    await expect(header(page)).toContainText('AppServer 2: Running');
    await expect(header(page)).toContainText('Down', TOLD);
    await expect(lane(page)).toContainText(/LMS and Studio have failed their checks since/);
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark bad');
    await expect(page).toHaveTitle(/^▲ 1 down · /);
  });

  await test.step('the checks of the replaced app server are old: grey, with their time', async () => {
    await page.getByRole('complementary', { name: 'App Servers' }).getByRole('link', { name: /^AppServer 1\b/ }).click();
    const old = page.locator('ul.checks');
    await expect(old).toHaveClass('checks old');
    await expect(page.getByText(/^Last checked at .* UTC.*; not checked since$/)).toBeVisible();
    await page.getByRole('complementary', { name: 'App Servers' }).getByRole('link', { name: /^AppServer 2\b/ }).click();
    await expect(page.locator('ul.checks')).not.toHaveClass(/old/);
  });

  await test.step('it recovers', async () => {
    await sites.resume();
    await expect(header(page)).toContainText('Healthy', TOLD);
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark good');
  });
});

test('while the gateway does not answer, one banner says that no site can be checked', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const instance = await serve(api, 'Geology Academy', 'geology');
  await serve(api, 'History Academy', 'history');
  await page.goto(`/instances/${instance.id}`);
  await signIn(page, program);
  await expect(header(page)).toContainText('Healthy', TOLD);
  await expect(disc(page, 'History Academy')).toHaveClass('mark good', TOLD);
  const banner = page.getByRole('status', { name: 'Health checks' });

  const stopped = signal(program, 'SIGSTOP');
  try {
    await expect(banner).toContainText('The health of all instances is unknown. No site was checked in time since', UNKNOWN);
    await expect(banner).toHaveCount(1);
    await expect(disc(page, 'Geology Academy')).toHaveClass('mark unknown');
    await expect(disc(page, 'History Academy')).toHaveClass('mark unknown');
    await expect(header(page)).toContainText('Health unknown');
    await expect(lane(page)).toContainText(/Not checked since/);
    await expect(page, 'no site is known to fail').toHaveTitle('Geology Academy · OpenCraft Instance Manager');
    await expect(chip(page, 'Unknown')).toHaveText('Unknown 2');
    await expect(chip(page, 'Attention')).toHaveText('Attention 0');
    await picture(page, 'health-unknown');
  } finally {
    stopped.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
  await expect(banner).toHaveCount(0, UNKNOWN);
  await expect(header(page)).toContainText('Healthy', TOLD);
  await expect(disc(page, 'History Academy')).toHaveClass('mark good', TOLD);
});

/** Sends a signal to the program's gateway; returns the processes that got it. */
function signal(program: Program, name: NodeJS.Signals): number[] {
  const isGateway = (pid: string) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes('haproxy') && words.includes(program.dataDirectory);
    } catch {
      return false;
    }
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter(isGateway).map(Number);
  expect(pids, 'the gateway runs').not.toEqual([]);
  pids.forEach((pid) => process.kill(pid, name));
  return pids;
}

async function serve(api: Api, name: string, subDomain: string): Promise<Instance> {
  const instance = await api.create(name, subDomain);
  await api.activate((await api.build(instance.id)).id);
  return instance;
}

function header(page: Page): Locator {
  return page.locator('.head .right');
}

function lane(page: Page): Locator {
  return page.getByRole('article', { name: 'Now serving' });
}

function list(page: Page): Locator {
  return page.getByRole('navigation', { name: 'Instances' });
}

/** The mark of an instance's sites. */
function disc(page: Page, name: string): Locator {
  return list(page).getByRole('link', { name: new RegExp(`^${name}`) }).locator('.mark:not(.ring)');
}

function attention(page: Page): Locator {
  return page.getByRole('region', { name: 'Needs attention' });
}

/** A button of the list's filter. */
function chip(page: Page, word: string): Locator {
  return page.getByRole('group', { name: 'Which instances' }).getByRole('button', { name: new RegExp(`^${word}`) });
}
