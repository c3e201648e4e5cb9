// A change appears within a second of the server's response in a second tab and on another user's screen.
import { availableParallelism, loadavg } from 'node:os';
import type { Locator, Page, Response } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

const GRACE = { username: 'grace', password: 'seven otters juggle lamps' };

test('two tabs and two people see the same', async ({ page, program, browser, context }) => {
  const api = await Api.signIn(program);
  await api.post('/users', { ...GRACE, role: 'operator' });
  const instance = await api.create('Astronomy Academy', 'astro');
  const path = `/instances/${instance.id}`;
  await page.goto(path);
  await signIn(page, program);
  const tab = await context.newPage();
  await tab.goto(path);
  const elsewhere = await browser.newContext({ baseURL: program.url });
  const hers = await elsewhere.newPage();
  await hers.goto(path);
  await signIn(hers, GRACE);
  const others = [tab, hers];
  for (const one of [page, ...others]) {
    await expect(one.getByRole('heading', { name: 'Astronomy Academy' })).toBeVisible();
    await expect(one.getByTitle('Live updates')).toHaveText('live');
  }

  await test.step('launch', async () => {
    await answered(page, 'POST', /\/app-servers$/, () =>
      page.getByRole('article', { name: 'Next' }).getByRole('button', { name: 'Launch new AppServer' }).click(),
    );
    await everywhere(others, (one) => expect(row(one, 'AppServer 1')).toBeVisible({ timeout: aSecond() }));
    await expect(next(page).getByRole('button', { name: 'Activate this app server' })).toBeVisible();
  });

  await test.step('activate', async () => {
    await next(page).getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 1?' });
    await expect(dialog.locator('.checks .good').first()).toBeVisible();
    await answered(page, 'POST', /\/activate$/, () => dialog.getByRole('button', { name: 'Activate AppServer 1' }).click());
    await everywhere(others, (one) => expect(serving(one)).toHaveText('AppServer 1', { timeout: aSecond() }));
  });

  await test.step('settings: another user changes the name, in the heading and in the list of both tabs', async () => {
    await hers.getByRole('link', { name: /^Settings/ }).click();
    await hers.getByLabel('Name', { exact: true }).fill('Astrophysics Academy');
    await hers.getByRole('button', { name: 'Save' }).click();
    const dialog = hers.getByRole('dialog', { name: 'Save these changes?' });
    await answered(hers, 'PATCH', /\/instances\/\d+$/, () => dialog.getByRole('button', { name: 'Save' }).click());
    await everywhere([page, tab], async (one) => {
      await expect(one.getByRole('heading', { name: 'Astrophysics Academy' })).toBeVisible({ timeout: aSecond() });
      await expect(list(one).getByRole('link', { name: /Astrophysics Academy/ })).toBeVisible({ timeout: aSecond() });
    });
    await hers.getByRole('link', { name: /^App Servers/ }).click();
  });

  await test.step('the traffic moves back and forth: no two pages contradict each other for long', async () => {
    const second = await api.build(instance.id);
    const first = second.id - 1;
    const all = [page, ...others];
    await everywhere(all, (one) => expect(next(one)).toContainText('AppServer 2'));
    for (const one of all) await watch(one);
    for (const id of [second.id, first, second.id, first]) {
      await api.activate(id);
      const name = id === first ? 'AppServer 1' : 'AppServer 2';
      await everywhere(all, (one) => expect(serving(one)).toHaveText(name, { timeout: aSecond() }));
    }
    const seen = await Promise.all(all.map((one) => one.evaluate(() => window.storySeen)));
    const apart = longestApart(seen);
    console.log(`  the active one was another in one of three for ${apart} ms at most`);
    const names = ['AppServer 1', 'AppServer 2', 'AppServer 1', 'AppServer 2', 'AppServer 1'];
    for (const changes of seen) expect(changes.map(({ active }) => active)).toEqual(names);
    expect(apart).toBeLessThan(aSecond());
  });

  await test.step('archive', async () => {
    await api.remove(`/instances/${instance.id}?terminate=true`);
    await everywhere([page, ...others], async (one) => {
      await expect(one.getByRole('status', { name: 'Archived' })).toBeVisible({ timeout: aSecond() });
      await expect(list(one).getByRole('link', { name: /Astrophysics/ })).toHaveCount(0, { timeout: aSecond() });
    });
  });

  await test.step('the theme is the browser’s: the other tab follows, another person’s does not', async () => {
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    await expect(tab.locator('html')).toHaveAttribute('data-theme', 'dark', { timeout: aSecond() });
    await expect(tab.getByRole('button', { name: /^Theme: dark/ })).toBeVisible();
    await expect(hers.locator('html')).not.toHaveAttribute('data-theme');
    await page.getByRole('button', { name: /^Theme: dark/ }).click();
    await expect(tab.locator('html')).not.toHaveAttribute('data-theme', { timeout: aSecond() });
  });
  await elsewhere.close();
});

/** One second, or proportionally longer if there is more work than processors. */
function aSecond(): number {
  const [load = 0] = loadavg();
  return 1_000 * Math.max(1, load / availableParallelism());
}

/** Performs an action and waits for the server's response that it is done. */
async function answered(page: Page, method: string, path: RegExp, act: () => Promise<void>): Promise<void> {
  const is = (answer: Response) => answer.request().method() === method && path.test(new URL(answer.url()).pathname);
  const [answer] = await Promise.all([page.waitForResponse(is), act()]);
  expect(answer.ok(), await answer.text()).toBe(true);
}

async function everywhere(pages: Page[], look: (page: Page) => Promise<void>): Promise<void> {
  await Promise.all(pages.map(look));
}

interface Seen {
  at: number;
  active: string;
}

declare global {
  interface Window {
    storySeen: Seen[];
  }
}

/** From now on the page records in each frame which app server is active, and since when. */
function watch(page: Page): Promise<void> {
  return page.evaluate(() => {
    window.storySeen = [];
    const look = () => {
      const active = document.querySelector('[aria-label="Now serving"] .who b')?.textContent ?? '';
      if (active !== window.storySeen.at(-1)?.active) window.storySeen.push({ at: Date.now(), active });
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

/** The longest time between the first and the last page that showed the same change. */
function longestApart(seen: Seen[][]): number {
  const changes = seen[0]?.map((_, place) => seen.map((one) => one[place]?.at ?? Number.NaN)) ?? [];
  // The first entry is the state when the recording began.
  return Math.max(...changes.slice(1).map((times) => Math.max(...times) - Math.min(...times)));
}

function list(page: Page): Locator {
  return page.getByRole('navigation', { name: 'Instances' });
}

function next(page: Page): Locator {
  return page.getByRole('article', { name: 'Next' });
}

/** The name of the active app server. */
function serving(page: Page): Locator {
  return page.getByRole('article', { name: 'Now serving' }).locator('.who b');
}

function row(page: Page, name: string): Locator {
  return page.locator('main').getByRole('link', { name: new RegExp(`^${name}\\b`) });
}
