// The list of 10,000 instances: the time until it is shown, its frame rate and memory, also with 500 changes a second.
import type { Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { Database } from '../support/database.ts';
import { FAKE_MACHINES, expect, signIn, test } from '../support/story.ts';
import { CHANGES_PER_SECOND, crowd, changes, INSTANCES } from './crowd.ts';
import { note } from './figures.ts';
import { emptyLike, firstPaint, framesPerSecond, framesPerSecondAtRest, memory, noteFrames } from './measure.ts';

const ROWS = '.list .rows';
const MEASURED_MS = 5_000;
/** Two rows a frame: 7,000 pixels a second. */
const SCROLLED_PX = 116;

test.use({ settings: FAKE_MACHINES });

test('a list of 10,000 instances', async ({ page, program }) => {
  const database = new Database(program);
  await crowd(await Api.signIn(program), database);
  await page.goto(program.url);
  await signIn(page, program);
  await expect(page.locator(`${ROWS} .row`).first()).toBeVisible();

  const opened = await firstPaint(page, program.url, `${ROWS} .row`);
  note({ what: '10,000 instances: first rows painted', value: opened, unit: 'ms', atMost: 1_000 });
  note({ what: '10,000 instances: all of them counted', value: await counted(page), unit: 'ms' });

  const scrolled = { page, selector: ROWS };
  const scrolling = await framesPerSecond(scrolled, MEASURED_MS, SCROLLED_PX);
  const empty = await emptyLike(scrolled);
  noteFrames('10,000 instances: scrolling', scrolling, await framesPerSecond(empty, MEASURED_MS, SCROLLED_PX));
  await page.bringToFront();

  const held = await memory(page);
  note({ what: '10,000 instances: JS heap', value: held.heapMiB, unit: 'MiB' });
  note({ what: '10,000 instances: wasm memory', value: held.wasmMiB, unit: 'MiB' });
  note({ what: '10,000 instances: both', value: held.totalMiB, unit: 'MiB', atMost: 100 });

  await page.locator(ROWS).evaluate((rows) => rows.scrollTo(0, 0));
  await listen(page);
  const running = changes(database);
  await expect(page.locator(`${ROWS} .row b`, { hasText: ' at ' }).first()).toBeVisible();
  const before = await heard(page);
  const changing = await framesPerSecondAtRest(scrolled, MEASURED_MS);
  const after = await heard(page);
  await empty.page.bringToFront();
  // With the same load of the program: it uses a share of the processors in both measurements.
  const best = await framesPerSecondAtRest(empty, MEASURED_MS);
  await running.stop();
  const per = `${CHANGES_PER_SECOND} changes a second`;
  const rate = ((after.events - before.events) * 1000) / (after.at - before.at);
  note({ what: `${per}: that reached the page`, value: rate, unit: '/s', atLeast: CHANGES_PER_SECOND * 0.9 });
  noteFrames(`${per}: the page rests`, changing, best);
  const ages = after.ages.slice(before.ages.length).sort((a, b) => a - b);
  expect(ages.length, 'rows in sight changed').toBeGreaterThan(10);
  note({ what: `${per}: age of a row when it changes, median`, value: ages[Math.floor(ages.length / 2)] ?? NaN, unit: 'ms' });
  note({ what: `${per}: the oldest`, value: ages.at(-1) ?? NaN, unit: 'ms', atMost: 1_000 });
});

/** Milliseconds from the navigation until the strip above the list shows the full count. */
async function counted(page: Page): Promise<number> {
  await expect(page.getByRole('button', { name: `All ${INSTANCES.toLocaleString('en')}` })).toBeVisible({ timeout: 60_000 });
  return page.evaluate(() => performance.now());
}

declare global {
  interface Window {
    benchHeard: { events: number; ages: number[] };
  }
}

/** From now on the page counts events, and measures how old a name is when it appears in a row. */
async function listen(page: Page): Promise<void> {
  await page.evaluate((selector) => {
    window.benchHeard = { events: 0, ages: [] };
    new EventSource('/api/v1/events').addEventListener('InstanceUpdated', () => (window.benchHeard.events += 1));
    const rows = document.querySelector(selector);
    if (rows === null) throw new Error('there are no rows');
    const look = (records: MutationRecord[]) => {
      const texts = records.map((record) => record.target.textContent ?? '');
      const times = texts.flatMap((text) => / at (\d+)$/.exec(text)?.[1] ?? []).map(Number);
      window.benchHeard.ages.push(...times.map((time) => Date.now() - time));
    };
    new MutationObserver(look).observe(rows, { subtree: true, characterData: true });
  }, ROWS);
}

function heard(page: Page): Promise<{ events: number; ages: number[]; at: number }> {
  return page.evaluate(() => ({ ...window.benchHeard, at: performance.now() }));
}
