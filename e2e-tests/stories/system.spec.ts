// The state of the manager itself: its parts, the sandbox around foreign code, and the settings that open a wall.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, picture, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

const DESK = { width: 1440, height: 900 };
/** The whole page at once, for its picture. */
const TALL = { width: 1440, height: 1300 };
const PROTECTIONS = [
  { name: 'files', is_active: true, detail: 'only the directory of the run can be written' },
  { name: 'processes', is_active: true, detail: 'an unprivileged user of its own, namespaces, no new privileges' },
  { name: 'network', is_active: true, detail: 'pasta: public addresses only' },
  { name: 'memory', is_active: true, detail: 'cgroup v2: 2 GiB' },
];
/** One limit is lost; the detail says which, and how to get it. */
const WITHOUT_MEMORY = [
  ...PROTECTIONS.slice(0, 3),
  { name: 'memory', is_active: false, detail: 'A run may use all memory: cgroup v2 is not mounted. Boot with systemd.unified_cgroup_hierarchy=1.' },
];

test('the parts, the version, and no opened wall', async ({ page, program }) => {
  await page.goto('/');
  await signIn(page, program);

  await test.step('the menu, the keyboard and the quick search lead to it', async () => {
    await page.getByLabel(`Menu of ${program.username}`).click();
    await page.getByRole('link', { name: 'System', exact: true }).click();
    await expect(page).toHaveURL(`${program.url}/system`);
    await expect(page).toHaveTitle(/^System · /);
    await page.goto('/');
    await expect(page.getByText("you've come to the right place")).toBeVisible();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await expect(page).toHaveURL(`${program.url}/system`);
    await page.goto('/');
    await expect(page.getByText("you've come to the right place")).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('combobox').fill('sandbox');
    await expect(page.getByRole('dialog').getByRole('group', { name: 'Pages' }).getByRole('option')).toHaveText([/^System/]);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${program.url}/system`);
  });

  await test.step('each part has a state and what it is', async () => {
    await expect(page.getByText('Version ')).toHaveText(/^Version \d+\.\d+\.\d+/);
    await expect(page.getByText(/^Started /)).toHaveText(/^Started \d\d:\d\d UTC/);
    await expect(parts(page)).toHaveCount(11);
    await expect(part(page, 'Database')).toContainText('WorksPostgres');
    await expect(part(page, 'Database')).toContainText('checked just now');
    await expect(part(page, 'Machines')).toContainText('WorksFake');
    await expect(part(page, 'Mail')).toContainText('Not configured');
    await expect(part(page, 'Secret keys')).toContainText('Configured');
    await expect(part(page, 'DNS')).toContainText('Not configured');
  });

  await test.step('no setting takes a protection away', async () => {
    await expect(region(page, 'Settings that open a wall')).toContainText('No setting takes a protection away.');
    await expect(overview(page)).toContainText('No wall is opened');
  });
});

test.describe('with settings that open a wall', () => {
  test.use({ settings: { ...FAKE_MACHINES, OCIM_ADDRESS_RATE: '0', OCIM_TRUSTED_PROXIES: '0.0.0.0/0' } });

  test('each is red on the page, and in the log of every start', async ({ page, program }) => {
    await page.goto('/system');
    await signIn(page, program);
    const walls = region(page, 'Settings that open a wall');
    await expect(walls.getByRole('listitem')).toHaveCount(2);
    await expect(walls.getByRole('listitem').first()).toHaveText(/^OCIM_TRUSTED_PROXIES.*may claim any address/);
    await expect(walls.getByRole('listitem').last()).toHaveText(/^OCIM_ADDRESS_RATE.*any number of requests/);
    await expect(walls).toHaveClass(/alarm/);
    await expect(overview(page)).toContainText('2 settings open a wall');
    const warnings = () => lines(program.logPath).filter((line) => line.includes('WARN') && line.includes('takes a protection away'));
    expect(warnings().map((line) => line.includes('OCIM_TRUSTED_PROXIES')), warnings().join('\n')).toEqual([true, false]);
    await program.halt();
    await program.resume();
    expect(warnings()).toHaveLength(4);
  });
});

test('the sandbox: every level on the page, and on every page that there is no wall', async ({ page, program }) => {
  const api = await Api.signIn(program);
  const { id } = await api.create('Astronomy Academy', 'astronomy');
  const sandbox = await answered(page, null);
  await page.goto('/system');
  await signIn(page, program);
  const card = region(page, 'Sandbox');
  const protections = card.getByRole('list', { name: 'Protections' }).getByRole('listitem');
  const banner = page.getByRole('status', { name: 'Sandbox' });

  await test.step('it is not needed', async () => {
    await expect(card).toContainText('This program runs no foreign code');
    await expect(protections).toHaveCount(0);
    await expect(banner).toHaveCount(0);
  });

  await test.step('full, without a reload: each protection is ticked', async () => {
    sandbox.is({ level: 'full', protections: PROTECTIONS });
    await expect(card).toContainText('Full');
    await expect(protections).toHaveCount(4);
    await expect(protections.nth(2)).toHaveText('Active: Networkpasta: public addresses only');
    await expect(overview(page)).toContainText('Full');
    await expect(banner).toHaveCount(0);
    await page.setViewportSize(TALL);
    await picture(page, 'system');
    await page.setViewportSize(DESK);
  });

  await test.step('partial: what is lost, and how to get it', async () => {
    sandbox.is({ level: 'partial', protections: WITHOUT_MEMORY });
    await expect(card).toContainText('Partial');
    await expect(card).toContainText('3 of 4 protections active');
    await expect(protections.last()).toHaveText(/^Not active: MemoryA run may use all memory.*Boot with/);
    await expect(banner).toHaveCount(0);
  });

  await test.step('missing: every page says that builds are refused', async () => {
    sandbox.is({ level: 'missing', protections: WITHOUT_MEMORY.map((one) => ({ ...one, is_active: false })) });
    await expect(banner).toContainText('This host has no sandbox: builds are refused.');
    await expect(card).toContainText('Missing');
  });

  await test.step('off: every page says so, with a link to this one', async () => {
    sandbox.is({ level: 'off', protections: [] });
    await expect(banner).toContainText('The sandbox is off');
    await expect(card).toContainText('OCIM_SANDBOX=none');
    await expect(banner.getByRole('link')).toBeHidden();
    for (const path of ['/', `/instances/${id}`, '/queue', '/account', '/no/such/page']) {
      await page.goto(path);
      await expect(banner).toContainText('The sandbox is off');
      await expect(banner).toHaveCount(1);
    }
    await page.goto(`/instances/${id}`);
    await expect(page.getByText('No app servers yet.')).toBeVisible();
    await picture(page, 'sandbox-off');
    await banner.getByRole('link', { name: 'Open System' }).click();
    await expect(page).toHaveURL(`${program.url}/system`);
  });

  await test.step('on a phone, with a part that fails and opened walls', async () => {
    sandbox.isToo((system) => {
      const gateway = system.checks.find((check) => check['name'] === 'gateway');
      Object.assign(gateway ?? {}, { is_ok: false, last_error: 'no answer within 2 s', since: new Date().toISOString() });
      system.opened_walls = [{ setting: 'OCIM_SANDBOX', effect: 'The code that builds run has all rights of this program.' }];
    });
    await page.setViewportSize({ width: 360, height: 740 });
    await expect(part(page, 'Gateway')).toContainText(/Fails.*No answer within 2 s\..*since \d\d:\d\d/);
    await expect(overview(page)).toContainText('1 part fails');
    await expect(overview(page)).toContainText('1 setting opens a wall');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await picture(page, 'system-phone');
    await page.setViewportSize(TALL);
    await picture(page, 'system-off');
    await page.setViewportSize(DESK);
  });
});

test('private repositories: an administrator adds and deletes a key and a token, others see neither', async ({ page, program, browser }) => {
  const api = await Api.signIn(program);
  await page.goto('/system');
  await signIn(page, program);
  const card = region(page, 'Private repositories');
  const dialog = page.getByRole('dialog', { name: 'New credential' });
  const add = dialog.getByRole('button', { name: 'Add credential' });
  const source = dialog.getByLabel('Repositories', { exact: true });

  await test.step('what is missing or wrong is said at its field', async () => {
    await expect(card).toContainText('No credentials.');
    await card.getByRole('button', { name: 'Add credential…' }).click();
    await expect(add).toHaveAttribute('title', 'Enter the repositories.');
    await source.fill('https://git.example/acme/*');
    await expect(add).toHaveAttribute('title', 'Paste the private key.');
    await dialog.getByLabel('Private key').fill('a passphrase');
    await dialog.getByLabel('Host keys').fill('git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0');
    await add.click();
    await expect(source).toHaveAccessibleDescription(/A deploy key is for ssh/);
    await expect(dialog.getByLabel('Private key')).toHaveAccessibleDescription(/as ssh-keygen writes it: -----BEGIN/);
    await picture(page, 'credential-new');
  });

  await test.step('a deploy key, and a token with a login name', async () => {
    await source.fill('ssh://git@git.example/acme/*');
    await dialog.getByLabel('Private key').fill(privateKey());
    await add.click();
    await expect(page.getByText('Credential of ssh://git@git.example/acme/* added.')).toBeVisible();
    await card.getByRole('button', { name: 'Add credential…' }).click();
    await dialog.getByRole('radio', { name: /^Token/ }).check();
    await source.fill('https://git.example/school/*');
    await dialog.getByLabel('Login name').fill('oauth2');
    await dialog.getByLabel('Token', { exact: true }).fill('glpat-otters');
    await add.click();
    await expect(card.getByRole('listitem')).toHaveText([
      /^https:\/\/git\.example\/school\/\*Token.*Login name oauth2, added by/,
      /^ssh:\/\/git@git\.example\/acme\/\*Deploy key.*added by/,
    ]);
    await card.getByRole('listitem').last().scrollIntoViewIfNeeded();
    await picture(page, 'repositories');
  });

  await test.step('no answer has a secret, and a viewer does not see the card', async () => {
    const all = await api.get<{ items: object[] }>('/source-credentials');
    expect(all.items).toHaveLength(2);
    expect(JSON.stringify(all)).not.toMatch(/otters|BEGIN/);
    await api.post('/users', { username: 'grace', password: 'seven otters juggle lamps', role: 'viewer' });
    const theirs = await browser.newContext({ baseURL: program.url });
    const viewer = await theirs.newPage();
    await viewer.goto('/system');
    await signIn(viewer, { username: 'grace', password: 'seven otters juggle lamps' });
    await expect(parts(viewer).first()).toBeVisible();
    await expect(region(viewer, 'Private repositories')).toHaveCount(0);
    await theirs.close();
  });

  await test.step('on a phone; one is deleted', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await card.getByRole('button', { name: 'Delete the credential of https://git.example/school/*…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText('Credential of https://git.example/school/* deleted.')).toBeVisible();
    await expect(card.getByRole('listitem')).toHaveCount(1);
  });
});

interface System {
  checks: Record<string, unknown>[];
  sandbox: unknown;
  opened_walls: { setting: string; effect: string }[];
}

/** Lets the page read the program's own state with another sandbox: this host has only one of the levels. */
async function answered(page: Page, first: unknown) {
  let change = (system: System): void => void (system.sandbox = first);
  await page.route('**/api/v1/system', async (route) => {
    const answer = await route.fetch();
    const system = (await answer.json()) as System;
    change(system);
    await route.fulfill({ response: answer, json: system });
  });
  return {
    is: (sandbox: unknown): void => void (change = (system) => void (system.sandbox = sandbox)),
    isToo: (also: (system: System) => void): void => {
      const before = change;
      change = (system) => (before(system), also(system));
    },
  };
}

/** A new deploy key, as ssh-keygen writes it. */
function privateKey(): string {
  const directory = mkdtempSync(join(tmpdir(), 'key-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'key')]);
  const key = readFileSync(join(directory, 'key'), 'utf8');
  rmSync(directory, { recursive: true });
  return key;
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n');
}

function region(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true });
}

function overview(page: Page): Locator {
  return page.getByRole('list', { name: 'Overview' });
}

function parts(page: Page): Locator {
  return region(page, 'Parts').getByRole('listitem');
}

function part(page: Page, name: string): Locator {
  return parts(page).filter({ has: page.getByText(name, { exact: true }) });
}
