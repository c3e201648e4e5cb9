// The log of 100,000 lines: the time until it is shown, its frame rate and memory; and a log that grows while it is followed.
import type { Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { Program } from '../support/program.ts';
import { expect, signIn, test } from '../support/story.ts';
import { note } from './figures.ts';
import { emptyLike, firstPaint, framesPerSecond, framesPerSecondAtRest, memory, noteFrames } from './measure.ts';

const LOG = '.log[role="log"]';
const MEASURED_MS = 5_000;
/** Fifteen rows a frame: the fastest scrolling by hand. */
const SCROLLED_PX = 300;

test.describe('a log of 100,000 lines', () => {
  test.use({ settings: { OCIM_PROVIDER: 'fake', OCIM_FAKE_LINES: '100000', OCIM_FAKE_PACE_MS: '0' } });

  test('is scrolled', async ({ page, program }) => {
    const api = await Api.signIn(program);
    const instance = await api.create('Long Academy', 'long');
    const { id } = await api.build(instance.id);
    const log = `${program.url}/instances/${instance.id}/app-servers/${id}`;
    await page.goto(log);
    await signIn(page, program);
    await expect(page.locator(`${LOG} .line`).first()).toBeVisible();

    const opened = await firstPaint(page, log, `${LOG} .line`);
    note({ what: 'log of 100,000 lines: first lines painted', value: opened, unit: 'ms', atMost: 1_000 });
    const scrolled = { page, selector: LOG };
    const empty = await emptyLike(scrolled);
    const best = await framesPerSecond(empty, MEASURED_MS, SCROLLED_PX);
    await empty.page.close();
    await page.bringToFront();
    await toTop(page);
    noteFrames('log of 100,000 lines: scrolling', await framesPerSecond(scrolled, MEASURED_MS, SCROLLED_PX), best);

    await scrollAll(page);
    const held = await memory(page);
    note({ what: 'log of 100,000 lines, all scrolled through: JS heap', value: held.heapMiB, unit: 'MiB' });
    note({ what: 'log of 100,000 lines, all scrolled through: wasm memory', value: held.wasmMiB, unit: 'MiB' });
    note({ what: 'log of 100,000 lines, all scrolled through: both', value: held.totalMiB, unit: 'MiB', atMost: 60 });
  });
});

test.describe('a log that grows', () => {
  test.use({ settings: { OCIM_PROVIDER: 'fake', OCIM_FAKE_LINES: '100000', OCIM_FAKE_PACE_MS: '2' } });

  test('is followed', async ({ page, program }) => {
    const { path } = await growing(program);
    await page.goto(program.url + path);
    await signIn(page, program);
    await expect(page.locator(`${LOG} .line`).nth(20)).toBeVisible();
    const scrolled = { page, selector: LOG };
    const [before, began] = [await lastNumber(page), Date.now()];
    const following = await framesPerSecondAtRest(scrolled, MEASURED_MS);
    const perSecond = ((await lastNumber(page)) - before) / ((Date.now() - began) / 1000);
    const empty = await emptyLike(scrolled);
    // With the same load of the program: it uses a share of the processors in both measurements.
    const best = await framesPerSecondAtRest(empty, MEASURED_MS);
    noteFrames(`log that grows by ${perSecond.toFixed(0)} lines a second: followed`, following, best);
  });
});

async function growing(program: Program): Promise<{ path: string }> {
  const api = await Api.signIn(program);
  const instance = await api.create('Growing Academy', 'growing');
  const { id } = await api.launch(instance.id);
  return { path: `/instances/${instance.id}/app-servers/${id}` };
}

/** The highest line number in the document. */
function lastNumber(page: Page): Promise<number> {
  return page.locator(`${LOG} .n`).evaluateAll((links) => Math.max(...links.map((link) => Number(link.textContent))));
}

async function toTop(page: Page): Promise<void> {
  await page.locator(LOG).evaluate((log) => {
    log.scrollTop = 0;
  });
  await expect(page.locator(`${LOG} .line`).first()).toContainText('1');
}

/** Scrolls from the end to the beginning, one fetched page of lines at a time. */
async function scrollAll(page: Page): Promise<void> {
  await page.locator(LOG).evaluate(async (log) => {
    for (let top = log.scrollHeight; top > 0; top -= 400 * 20) {
      log.scrollTop = top;
      const isHere = () => Array.from(log.querySelectorAll('.line .x')).every((text) => text.textContent !== '…');
      do await new Promise((resolve) => requestAnimationFrame(resolve));
      while (!isHere());
    }
  });
}
