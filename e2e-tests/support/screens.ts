// Every screen and every dialog that can be opened, and how to get there: checks of all screens iterate over this table.
import type { Browser, BrowserContextOptions, Locator, Page } from '@playwright/test';
import type { Program } from './program.ts';
import { expect, signIn } from './story.ts';
import { VIEWER, type World } from './world.ts';

export interface Screen {
  name: string;
  path: string;
  /** The user who looks; the administrator if it is left out. */
  who?: 'anonymous' | 'viewer';
  /** An element that is visible once the screen is drawn. */
  ready: (page: Page) => Locator;
  /** The actions after that: open a dialog, fill a field. */
  act?: (page: Page) => Promise<void>;
  /** Cleans up, where leaving the screen would keep changes. */
  leave?: (page: Page) => Promise<void>;
}

/** The screens of a manager without instances. */
export const EMPTY: Screen[] = [
  { name: 'login', path: '/login', who: 'anonymous', ready: (page) => page.getByLabel('Username') },
  {
    name: 'login, refused',
    path: '/login',
    who: 'anonymous',
    ready: (page) => page.getByLabel('Username'),
    act: async (page) => {
      await page.getByLabel('Username').fill('ada');
      await page.getByLabel('Password').fill('nothing at all');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByRole('alert')).toBeVisible();
    },
  },
  { name: 'home, empty', path: '/', ready: (page) => page.getByRole('link', { name: 'Create your first instance' }) },
  { name: 'instances, empty', path: '/instances', ready: (page) => page.getByText('No instances yet.') },
  { name: 'queue, empty', path: '/queue', ready: (page) => page.getByText('Queue is empty.') },
  { name: 'machines, empty', path: '/servers', ready: (page) => page.getByText('The launch of an app server makes one.') },
  { name: 'machines, none ending', path: '/servers?tab=ending', ready: (page) => page.getByText('All machines are active') },
  { name: 'machines, none missing', path: '/servers?tab=missing', ready: (page) => page.getByText('The provider has every machine') },
  { name: 'pull requests, empty', path: '/pull-requests', ready: (page) => page.getByText('No pull request yet.') },
];

export function screensOf(world: World): Screen[] {
  return [...pages(world), ...instancePages(world), ...dialogs(world), ...queue(world)];
}

function pages(world: World): Screen[] {
  return [
    { name: 'home', path: '/', ready: (page) => region(page, 'Needs attention').getByRole('listitem').first() },
    { name: 'instances', path: '/instances', ready: listed },
    { name: 'archived instances', path: '/instances', ready: listed, act: archived },
    { name: 'new instance', path: '/instances/new', ready: (page) => page.getByRole('button', { name: 'Create instance' }) },
    {
      name: 'new instance, all of it and wrong',
      path: '/instances/new',
      ready: (page) => page.getByRole('button', { name: 'Create instance' }),
      act: async (page) => {
        await page.getByText('Advanced settings').click();
        await page.getByRole('button', { name: 'Create instance' }).click();
        await expect(page.getByLabel('Name', { exact: true })).toBeFocused();
      },
      leave: (page) => page.getByRole('link', { name: 'Cancel' }).click(),
    },
    { name: 'machines', path: '/servers', ready: (page) => region(page, 'All machines').getByRole('cell').first() },
    { name: 'machines, filtered', path: '/servers?state=gone&q=drama', ready: (page) => region(page, 'All machines').getByRole('cell').first() },
    { name: 'machines, ending', path: '/servers?tab=ending', ready: (page) => region(page, 'Scheduled for deletion').getByRole('button', { name: 'Pin' }).first() },
    { name: 'pull requests', path: '/pull-requests', ready: (page) => page.getByRole('button', { name: 'Review…' }) },
    { name: 'activity', path: '/activity', ready: (page) => region(page, 'Entries').getByRole('listitem').first() },
    {
      name: 'activity, unfolded',
      path: `/activity?action=update_instance&instance=${world.serving.id}`,
      ready: (page) => region(page, 'Entries').getByText('Details').first(),
      act: (page) => region(page, 'Entries').getByText('Details').first().click(),
    },
    { name: 'account', path: '/account', ready: (page) => region(page, 'API tokens').getByText('nightly deploy') },
    { name: 'users', path: '/admin/users', ready: (page) => region(page, 'All users').getByText(VIEWER.username).first() },
    { name: 'system', path: '/system', who: 'viewer', ready: (page) => region(page, 'Parts').getByRole('listitem').first() },
    { name: 'system, with its walls open', path: '/system', ready: (page) => region(page, 'Parts').getByRole('listitem').first(), act: openWalls, leave: closeWalls },
    {
      name: 'a new credential of private repositories',
      path: '/system',
      ready: (page) => region(page, 'Private repositories').getByText('No credentials.'),
      act: (page) => region(page, 'Private repositories').getByRole('button', { name: 'Add credential…' }).click(),
      leave: (page) => page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click(),
    },
    { name: 'not found', path: '/no/such/page', ready: (page) => page.getByRole('heading', { name: 'Page not found' }) },
    { name: 'not permitted', path: '/admin/users', who: 'viewer', ready: (page) => page.getByRole('heading', { name: 'You do not have access' }) },
    { name: 'of a viewer', path: `/instances/${world.serving.id}`, who: 'viewer', ready: (page) => page.getByRole('log').getByText(/line \d+/).first() },
  ];
}

function instancePages(world: World): Screen[] {
  const at = (id: number, tab = '') => `/instances/${id}${tab}`;
  const settings = at(world.serving.id, '/settings');
  const email = (page: Page) => page.getByLabel('Contact e-mail', { exact: true });
  return [
    { name: 'active and newer', path: at(world.serving.id), ready: logged },
    { name: 'compared', path: at(world.serving.id), ready: logged, act: compare },
    { name: 'a line of the log', path: at(world.serving.id, `/app-servers/${world.newer.id}#L20`), ready: (page) => page.getByRole('log').locator('.line.named') },
    {
      name: 'log, searched',
      path: at(world.serving.id),
      ready: logged,
      act: async (page) => {
        await page.getByLabel('Search the log').fill('line 2');
        await expect(page.getByRole('search').getByRole('status')).toContainText(' of ');
      },
    },
    { name: 'building', path: at(world.building.id), ready: (page) => next(page).getByText(/task \d+ of \d+/) },
    { name: 'failed', path: at(world.failed.id), ready: (page) => region(page, 'Lines around the failure').locator('.line.named') },
    { name: 'stopped', path: at(world.stopped.id), ready: (page) => page.getByText('Build stopped by admin') },
    { name: 'on hold', path: at(world.held.id), ready: (page) => page.getByRole('status', { name: 'Hold' }) },
    { name: 'archived', path: at(world.archived.id), ready: (page) => page.getByRole('status', { name: 'Archived' }) },
    { name: 'nothing launched', path: at(world.vacant.id), ready: (page) => page.getByText('No app servers yet.') },
    { name: 'settings', path: settings, ready: email },
    { name: 'data', path: at(world.serving.id, '/data'), ready: (page) => page.getByText('On the machine of each app server.') },
    {
      name: 'settings, with the variables of the next launch',
      path: settings,
      ready: email,
      act: async (page) => {
        await page.getByText('Ansible variables for the next launch').click();
        await expect(page.getByText('Origin of each variable')).toBeVisible();
      },
    },
    {
      name: 'settings, wrong',
      path: settings,
      ready: email,
      act: async (page) => {
        await email(page).fill('ada');
        await page.getByLabel('Extra settings').fill('A:\n  B: 1\n C: yes\n');
        await expect(page.locator('.mirror .bad')).toBeVisible();
      },
      leave: discard,
    },
    {
      name: 'settings, changed by two',
      path: settings,
      ready: email,
      act: async (page) => {
        await email(page).fill('mine@campus.example');
        await world.api.change(world.serving.id, { email: `number${Math.random()}@campus.example` });
        await expect(page.getByRole('group', { name: 'Both changed: Contact e-mail' })).toBeVisible();
      },
      leave: async (page) => {
        await page.getByRole('button', { name: 'Take theirs' }).click();
        await expect(page.getByRole('button', { name: 'Save…' })).toBeDisabled();
      },
    },
    { name: 'log', path: at(world.serving.id, '/log'), ready: logged },
    { name: 'pull request, n/a', path: at(world.serving.id, '/pull-request'), ready: (page) => page.getByText('This instance was not created for a pull request.') },
    { name: 'pull request', path: at(world.pullRequest.id, '/pull-request'), ready: (page) => page.getByRole('button', { name: 'Update Instance Settings from PR' }) },
  ];
}

function dialogs(world: World): Screen[] {
  const serving = `/instances/${world.serving.id}`;
  const building = `/instances/${world.building.id}`;
  const settings = `${serving}/settings`;
  const in_ = (lane: string, button: string | RegExp) => (page: Page) =>
    opened(page, page.getByRole('article', { name: lane }).getByRole('button', { name: button }));
  const by = (button: string, exact = true) => (page: Page) => opened(page, page.getByRole('button', { name: button, exact }).first());
  const users = (page: Page) => region(page, 'All users').getByRole('group', { name: VIEWER.username, exact: true });
  const user = (button: string) => (page: Page) => opened(page, users(page).getByRole('button', { name: button }));
  return [
    { name: 'dialog: activate', path: serving, ready: logged, act: checked(in_('Next', 'Activate this app server')) },
    { name: 'dialog: roll back', path: serving, ready: logged, act: checked(in_('Now serving', /^Roll back to/)) },
    { name: 'dialog: maintenance page', path: serving, ready: logged, act: in_('Now serving', 'Maintenance page…') },
    { name: 'dialog: hold', path: serving, ready: logged, act: in_('Now serving', 'Hold') },
    { name: 'dialog: terminate', path: serving, ready: logged, act: by('Terminate') },
    { name: 'dialog: stop', path: building, ready: next, act: in_('Next', 'Stop build') },
    { name: 'dialog: activate when ready', path: building, ready: next, act: in_('Next', 'Activate when ready') },
    { name: 'dialog: archive', path: settings, ready: (page) => region(page, 'Danger zone'), act: by('Archive…') },
    { name: 'dialog: delete its data', path: `/instances/${world.archived.id}`, ready: (page) => page.getByRole('status', { name: 'Archived' }), act: by('Delete data…') },
    {
      name: 'dialog: save',
      path: settings,
      ready: (page) => region(page, 'Danger zone'),
      act: async (page) => {
        await page.getByLabel('Contact e-mail', { exact: true }).fill('mine@campus.example');
        await by('Save…')(page);
      },
      leave: async (page) => {
        await page.keyboard.press('Escape');
        await discard(page);
      },
    },
    { name: 'dialog: keys', path: '/', ready: (page) => region(page, 'Recent activity'), act: (page) => asked(page, '?') },
    { name: 'dialog: quick search', path: '/', ready: (page) => region(page, 'Recent activity'), act: (page) => asked(page, 'Control+k') },
    {
      name: 'dialog: quick search, nothing found',
      path: '/',
      ready: (page) => region(page, 'Recent activity'),
      act: async (page) => {
        await asked(page, 'Control+k');
        await page.getByRole('dialog').getByRole('combobox').fill('#4711');
        await expect(page.getByRole('dialog').getByRole('status')).toHaveText('Nothing matches.');
      },
    },
    { name: 'menu', path: '/', ready: (page) => region(page, 'Recent activity'), act: (page) => page.getByLabel('Menu of admin').click() },
    { name: 'menu of the launch', path: serving, ready: logged, act: (page) => page.getByRole('complementary').getByText('Launch options', { exact: true }).click() },
    { name: 'menu of the log', path: serving, ready: logged, act: (page) => region(page, 'Log').getByText('Options', { exact: true }).click() },
    { name: 'dialog: pause', path: '/queue', ready: (page) => region(page, 'Building now'), act: by('Pause…') },
    { name: 'dialog: tidy up', path: '/servers?tab=orphans', ready: (page) => region(page, 'Orphaned machines'), act: by('Reconcile now…') },
    { name: 'dialog: review', path: '/pull-requests', ready: (page) => page.getByRole('button', { name: 'Review…' }), act: by('Review…') },
    { name: 'dialog: new token', path: '/account', ready: (page) => region(page, 'API tokens'), act: by('New token…') },
    {
      name: 'dialog: the token',
      path: '/account',
      ready: (page) => region(page, 'API tokens'),
      act: async (page) => {
        await by('New token…')(page);
        await page.getByLabel('Name', { exact: true }).fill('looking');
        await page.getByRole('button', { name: 'Create token' }).click();
        await expect(page.getByRole('dialog', { name: 'The new API token' })).toBeVisible();
      },
    },
    { name: 'dialog: revoke', path: '/account', ready: (page) => region(page, 'API tokens'), act: by('Revoke nightly deploy…') },
    { name: 'dialog: new user', path: '/admin/users', ready: users, act: by('New user…') },
    { name: 'dialog: change a user', path: '/admin/users', ready: users, act: user('Edit role…') },
    { name: 'dialog: password of a user', path: '/admin/users', ready: users, act: user('Password…') },
    { name: 'dialog: access of a user', path: '/admin/users', ready: users, act: user('Access…') },
    { name: 'dialog: delete a user', path: '/admin/users', ready: users, act: user('Delete…') },
  ];
}

/** Screens with work in progress; the last of them pauses the queue. */
function queue(world: World): Screen[] {
  const paused = (page: Page) => page.getByRole('status').filter({ hasText: 'Paused' });
  return [
    { name: 'queue', path: '/queue', ready: (page) => region(page, 'Building now').getByRole('listitem').first() },
    {
      name: 'queue, paused',
      path: '/queue',
      ready: (page) => region(page, 'Building now').getByRole('listitem').first(),
      act: async (page) => {
        await world.api.put('/queue/pause', { reason: 'the cloud is repaired' });
        await world.api.launch(world.vacant.id);
        await expect(paused(page)).toBeVisible();
        await expect(region(page, 'Waiting').getByRole('listitem')).toBeVisible();
      },
    },
    { name: 'home, paused', path: '/', ready: (page) => page.getByText('paused').first() },
    {
      name: 'waiting',
      path: `/instances/${world.vacant.id}`,
      ready: (page) => next(page).getByRole('button', { name: 'Stop build' }),
      leave: () => world.api.remove('/queue/pause'),
    },
  ];
}

/** Opens each screen in turn, and returns the faults of each; a screen that cannot be opened is a fault. */
export async function walk(
  screens: Screen[],
  visitors: Visitors,
  look: (page: Page, screen: Screen) => Promise<string[]>,
): Promise<string[]> {
  const faults: string[] = [];
  for (const screen of screens) {
    const page = await visitors.page(screen.who ?? 'admin');
    try {
      await page.goto(screen.path);
      await expect(screen.ready(page)).toBeVisible();
      await screen.act?.(page);
      faults.push(...(await look(page, screen)).map((fault) => `${screen.name}: ${fault}`));
      await screen.leave?.(page);
    } catch (error) {
      faults.push(`${screen.name}: ${(error as Error).message}`);
    }
  }
  return faults;
}

/** Browsers, one for each user who looks. */
export class Visitors {
  private readonly pages = new Map<string, Page>();

  constructor(
    private readonly browser: Browser,
    private readonly program: Program,
    private readonly options: BrowserContextOptions,
  ) {}

  async page(who: 'admin' | 'viewer' | 'anonymous'): Promise<Page> {
    const known = this.pages.get(who);
    if (known !== undefined) return known;
    const context = await this.browser.newContext({ baseURL: this.program.url, locale: 'en-GB', ...this.options });
    const page = await context.newPage();
    this.pages.set(who, page);
    if (who !== 'anonymous') {
      await page.goto('/login');
      await signIn(page, who === 'admin' ? this.program : VIEWER);
    }
    return page;
  }

  async leave(): Promise<void> {
    for (const page of this.pages.values()) await page.context().close();
  }
}

function region(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true });
}

function listed(page: Page): Locator {
  return page.getByRole('navigation', { name: 'Instances' }).getByRole('link', { name: /^Astronomy Academy/ });
}

function next(page: Page): Locator {
  return page.getByRole('article', { name: 'Next' });
}

function logged(page: Page): Locator {
  return page.getByRole('log').locator('.line').first();
}

async function archived(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Archived', exact: true }).click();
  await expect(page.getByRole('navigation', { name: 'Instances' }).getByRole('link', { name: /^Folklore Academy/ })).toBeVisible();
}

async function opened(page: Page, button: Locator): Promise<void> {
  await button.click();
  await expect(page.getByRole('dialog')).toBeVisible();
}

async function asked(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await expect(page.getByRole('dialog')).toBeVisible();
}

/** Waits for the response of the app server's application. */
function checked(open: (page: Page) => Promise<void>): (page: Page) => Promise<void> {
  return async (page) => {
    await open(page);
    await expect(page.getByRole('dialog').locator('.checks .good').first()).toBeVisible();
  };
}

/** Shows the system page as on a host where every state is a bad one. */
async function openWalls(page: Page): Promise<void> {
  await page.route('**/api/v1/system', async (route) => {
    const answer = await route.fetch();
    const system = (await answer.json()) as { checks: object[] };
    const protections = [true, false].map((is_active) => ({ name: 'memory', is_active, detail: 'cgroup v2 is not mounted.' }));
    const since = new Date().toISOString();
    const checks = system.checks.map((check) => ({ ...check, is_ok: false, last_error: 'no answer within 2 s', since }));
    const opened_walls = [{ setting: 'OCIM_SANDBOX', effect: 'Code that builds run has all rights of this program.' }];
    await route.fulfill({ response: answer, json: { ...system, checks, sandbox: { level: 'off', protections }, opened_walls } });
  });
  await page.reload();
  await expect(page.getByRole('status', { name: 'Sandbox' })).toBeVisible();
  await expect(region(page, 'Sandbox').getByRole('listitem')).toHaveCount(2);
}

async function closeWalls(page: Page): Promise<void> {
  await page.unroute('**/api/v1/system');
}

async function compare(page: Page): Promise<void> {
  await page.getByText('Configuration', { exact: true }).click();
  await page.getByLabel('Compare with').selectOption({ label: 'AppServer 1' });
  await expect(page.locator('.compare')).toContainText('EDXAPP_LIMIT');
}

async function discard(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Discard' }).click();
}
