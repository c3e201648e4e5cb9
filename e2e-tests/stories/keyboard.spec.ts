// Without a pointer: the main job from sign-in to rollback, and on each screen a focus that stays visible as Tab moves it.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { EMPTY, Visitors, screensOf, walk } from '../support/screens.ts';
import { expect, FAKE_MACHINES, picture, test as plain } from '../support/story.ts';
import { seed, test } from '../support/world.ts';

/** More stops than any screen has. */
const MOST_STOPS = 250;

plain.describe('the main job', () => {
  plain.use({ settings: FAKE_MACHINES });

  plain('is done by keys alone', async ({ page, program }) => {
    const api = await Api.signIn(program);
    const astronomy = await api.create('Astronomy Academy', 'astronomy');
    const botany = await api.create('Botany Academy', 'botany');
    const keys = page.keyboard;
    const dialog = (name: string) => page.getByRole('dialog', { name });
    const row = (name: string) => page.getByRole('navigation', { name: 'Instances' }).getByRole('link', { name: new RegExp(`^${name}`) });

    await plain.step('sign in', async () => {
      await page.goto('/');
      await expect(page.getByLabel('Username')).toBeFocused();
      await keys.type(program.username);
      await keys.press('Tab');
      await keys.type(program.password);
      await keys.press('Enter');
      await expect(page.getByRole('heading', { name: /^(Good|Working late)/ })).toBeVisible();
    });

    await plain.step('“/” filters, and Escape clears', async () => {
      await expect(row('Botany')).toBeVisible();
      await keys.press('/');
      await expect(page.getByLabel('Filter instances')).toBeFocused();
      await keys.type('bot');
      await expect(row('Astronomy')).toHaveCount(0);
      await keys.press('Escape');
      await expect(page.getByLabel('Filter instances')).toHaveValue('');
      await expect(row('Astronomy')).toBeVisible();
    });

    await plain.step('j and k walk, Enter opens', async () => {
      await page.goto('/');
      await expect(row('Botany')).toBeVisible();
      await keys.press('j');
      await expect(row('Astronomy')).toBeFocused();
      await keys.press('j');
      await expect(row('Botany')).toBeFocused();
      await keys.press('k');
      await expect(row('Astronomy')).toBeFocused();
      await keys.press('j');
      await keys.press('Enter');
      await expect(page).toHaveURL(`${program.url}/instances/${botany.id}`);
      await expect(row('Botany')).toBeFocused();
    });

    await plain.step('g and a letter go to a page', async () => {
      for (const [letter, path] of [['q', '/queue'], ['m', '/servers'], ['p', '/pull-requests'], ['a', '/activity'], ['i', '/instances'], ['h', '/']]) {
        await keys.press('g');
        await keys.press(letter as string);
        await expect(page).toHaveURL(`${program.url}${path}`);
      }
    });

    await plain.step('“?” shows the keys, and Escape returns to the previous place', async () => {
      await keys.press('k');
      await expect(row('Astronomy')).toBeFocused();
      await keys.press('?');
      await expect(dialog('Keyboard shortcuts')).toBeVisible();
      await picture(page, 'keys');
      await keys.press('Escape');
      await expect(dialog('Keyboard shortcuts')).toBeHidden();
      await expect(row('Astronomy')).toBeFocused();
    });

    await plain.step('a menu opens by Enter and is shut by Escape', async () => {
      const menu = page.getByLabel(`Menu of ${program.username}`);
      await menu.focus();
      await keys.press('Enter');
      await expect(page.getByRole('link', { name: 'Build queue' })).toBeVisible();
      await keys.press('Tab');
      await expect(page.getByRole('link', { name: 'Build queue' })).toBeFocused();
      await keys.press('Escape');
      await expect(page.getByRole('link', { name: 'Build queue' })).toBeHidden();
      await expect(menu).toBeFocused();
    });

    await plain.step('Ctrl-K finds', async () => {
      await keys.press('Control+k');
      await expect(dialog('Quick search').getByRole('combobox')).toBeFocused();
      await keys.type('astro');
      await expect(dialog('Quick search').getByRole('option')).toHaveText([/Astronomy Academy/]);
      await keys.press('Enter');
      await expect(page).toHaveURL(`${program.url}/instances/${astronomy.id}`);
    });

    await plain.step('launch, activate', async () => {
      await launch(page, 1);
      await move(page, next(page).getByRole('button', { name: 'Activate this app server' }), 'Activate AppServer 1');
    });

    await plain.step('launch another one; in the dialog Tab stays inside', async () => {
      await launch(page, 2);
      const button = next(page).getByRole('button', { name: 'Activate this app server' });
      await expect(button).toHaveAttribute('aria-disabled', 'false');
      await tabTo(page, button);
      await keys.press('Enter');
      const asked = dialog('Activate AppServer 2?');
      await expect(asked.locator('.checks .good').first()).toBeVisible();
      const confirm = asked.getByRole('button', { name: 'Activate AppServer 2' });
      for (let stop = 0; stop < 20; stop += 1) {
        await keys.press('Tab');
        // After the last element, Tab reaches the browser's own controls, never the page behind the dialog.
        expect(await page.evaluate(() => document.activeElement?.closest('dialog, body')?.tagName)).toMatch(/^(DIALOG|BODY)$/);
        expect(await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null)).toBe(true);
      }
      await keys.press('Escape');
      await expect(asked).toBeHidden();
      await expect(button).toBeFocused();
      await move(page, button, 'Activate AppServer 2');
      await expect(confirm).toBeHidden();
    });

    await plain.step('roll back', async () => {
      const serving = page.getByRole('article', { name: 'Now serving' });
      await move(page, serving.getByRole('button', { name: 'Roll back to AppServer 1' }), 'Roll back to AppServer 1');
      await expect(serving).toContainText('AppServer 1');
    });

    await plain.step('search the log', async () => {
      const search = page.getByLabel('Search the log');
      await tabTo(page, search);
      await keys.type('line 3');
      const hits = page.getByRole('search').getByRole('status');
      await expect(hits).toHaveText(/^\d+ of \d+$/);
      const before = await hits.textContent();
      await keys.press('Enter');
      await expect(hits).not.toHaveText(before ?? '');
      await tabTo(page, page.getByRole('log'));
      await keys.press('Home');
      await expect(page.getByRole('log').getByText('1', { exact: true })).toBeInViewport();
    });
  });
});

test('the focus is visible at every stop of Tab, on every screen', { tag: '@every-screen' }, async ({ browser, program, github }) => {
  test.setTimeout(900_000);
  const visitors = new Visitors(browser, program, { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  const faults = [...(await walk(EMPTY, visitors, tabThrough)), ...(await walk(screensOf(await seed(program, github)), visitors, tabThrough))];
  await visitors.leave();
  expect(faults, faults.join('\n')).toEqual([]);
});

/** Ends with the new app server in the list. */
async function launch(page: Page, number: number): Promise<void> {
  await tabTo(page, page.getByRole('complementary', { name: 'App Servers' }).getByRole('button', { name: 'Launch new AppServer' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `AppServer ${number}` })).toBeVisible();
  await expect(next(page)).toContainText('Running', { timeout: 60_000 });
}

/** Opens the dialog of a button and confirms it. */
async function move(page: Page, button: Locator, confirm: string): Promise<void> {
  await expect(button).toHaveAttribute('aria-disabled', 'false');
  await tabTo(page, button);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.locator('.checks .good').first()).toBeVisible();
  await tabTo(page, dialog.getByRole('button', { name: confirm }));
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(page.getByText(`${confirm.replace(/^.* (AppServer \d+)$/, '$1')} is now active.`).first()).toBeVisible();
}

function next(page: Page): Locator {
  return page.getByRole('article', { name: 'Next' });
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never leads to ${target}`);
}

interface Stop {
  what: string;
  /** No element of the page has the focus. */
  isLost: boolean;
  /** How many elements had the focus before this one first had it. */
  place: number;
  isMarked: boolean;
  isInSight: boolean;
}

/** Presses Tab through all stops once; returns faults there, and elements that Tab does not reach. */
async function tabThrough(page: Page): Promise<string[]> {
  const faults: string[] = [];
  let seen = 0;
  let lost = 0;
  let last = -1;
  for (let count = 0; count < MOST_STOPS; count += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(lookAtFocus);
    if (stop.isLost) {
      if (seen > 0) lost += 1;
    } else if (stop.place === seen) {
      seen += 1;
      if (!stop.isMarked) faults.push(`${stop.what} has the focus and does not show it`);
      if (!stop.isInSight) faults.push(`${stop.what} has the focus and is out of sight`);
    } else if (lost > 0 && stop.place !== last) {
      // Back at the first stop. The parts of a date are one element, which has the focus several times in a row.
      break;
    }
    last = stop.place;
  }
  // Between the last and the first stop, the browser's own controls have the focus.
  if (lost !== 1) faults.push(`the focus is lost ${lost} times`);
  return [...faults, ...(await page.evaluate(missedStops)).map((what) => `${what} is not reached`)];
}

/** The element that has the focus. Runs in the page. */
function lookAtFocus(): Stop {
  const element = document.activeElement;
  if (element === null || element === document.body) {
    return { what: 'nothing', isLost: true, place: -1, isMarked: false, isInSight: false };
  }
  const place = Number(element.getAttribute('data-visited') ?? document.querySelectorAll('[data-visited]').length);
  element.setAttribute('data-visited', String(place));
  const outlined = (one: Element | null) => {
    const style = one === null ? null : getComputedStyle(one);
    return style !== null && style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2;
  };
  // Any visible part, of any line that the element takes, suffices.
  const points = Array.from(element.getClientRects()).flatMap(({ left, right, top, bottom }) =>
    [left + 2, (left + right) / 2, right - 2].flatMap((x) => [top + 2, (top + bottom) / 2, bottom - 2].map((y) => [x, y] as const)),
  );
  const isInSight = points.some(([x, y]) => {
    const there = document.elementFromPoint(x, y);
    return there !== null && (element.contains(there) || there.contains(element) && there.closest('label, summary') !== null);
  });
  const words = element.getAttribute('aria-label') ?? (element as HTMLInputElement).labels?.[0]?.textContent ?? element.textContent;
  // An editor, a folding card and the row of a table show the focus on the whole element.
  const isMarked = [element, element.closest('.editor'), element.closest('.card'), element.closest('tr')].some(outlined);
  return { what: `${element.tagName} «${words?.trim().slice(0, 40)}»`, isLost: false, place, isMarked, isInSight };
}

/** Elements that can have the focus but did not get it. Runs in the page. */
function missedStops(): string[] {
  const scope = document.querySelector('dialog[open]') ?? document;
  const all = scope.querySelectorAll<HTMLElement>('a[href], button, input:not([type="radio"]), select, textarea, summary, [tabindex="0"]');
  const missed = Array.from(all).filter(
    (element) => element.tabIndex >= 0 && !element.matches('[data-visited], :disabled') && element.checkVisibility({ visibilityProperty: true }),
  );
  return missed.map((element) => `${element.tagName} «${element.getAttribute('aria-label') ?? element.id} ${element.textContent?.trim().slice(0, 40)}»`);
}
