// The first screen: the size of its downloads with an empty cache, and the time until it is shown.
import type { CDPSession, Page } from '@playwright/test';
import { FAKE_MACHINES, expect, signIn, test } from '../support/story.ts';
import { note } from './figures.ts';

const TIMES = 5;
const FIELD = 'input[aria-label="Filter instances"]';
const TYPED = 'astro';

test.use({ settings: FAKE_MACHINES });

test('the first screen', async ({ page, program }) => {
  await page.goto(program.url);
  await signIn(page, program);
  await expect(page.locator(FIELD)).toBeVisible();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');

  const loaded = await downloads(page, session);
  const wasm = loaded.filter((one) => one.url.includes('.wasm'));
  note({ what: 'first screen: its program (wasm)', value: kib(wasm), unit: 'KiB', atMost: 450 });
  note({ what: 'first screen: all that is downloaded', value: kib(loaded), unit: 'KiB', atMost: 550 });
  note({ what: 'first screen: requests', value: loaded.length, unit: '' });

  const [painted, usable]: [number[], number[]] = [[], []];
  for (let time = 0; time < TIMES; time += 1) {
    await session.send('Network.clearBrowserCache');
    // Only the session's cookie is kept.
    await page.goto(program.url, { waitUntil: 'commit' });
    usable.push(await typed(page));
    painted.push(await firstContentfulPaint(page));
  }
  note({ what: 'first screen: first contentful paint, median', value: median(painted), unit: 'ms', atMost: 1_000 });
  note({ what: 'first screen: the filter takes what is typed, median', value: median(usable), unit: 'ms', atMost: 2_000 });
});

interface Download {
  url: string;
  bytes: number;
}

/** All requests of a page with an empty cache until the screen is shown and the network is idle, with their transfer sizes. */
async function downloads(page: Page, session: CDPSession): Promise<Download[]> {
  const pending = new Map<string, string>();
  const loaded: Download[] = [];
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    // The stream of events never ends; every other request does.
    if (!request.url.endsWith('/events')) pending.set(requestId, request.url);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const url = pending.get(requestId);
    if (pending.delete(requestId) && url !== undefined) loaded.push({ url, bytes: encodedDataLength });
  });
  await session.send('Network.clearBrowserCache');
  await page.reload();
  await expect(page.locator(FIELD)).toBeVisible();
  await expect.poll(() => [...pending.values()], { message: 'what is still being loaded' }).toEqual([]);
  return [...loaded];
}

/** Milliseconds from the navigation until the list's filter has the focus and shows, in a frame, what was typed into it. */
function typed(page: Page): Promise<number> {
  return page.evaluate(
    ({ selector, text }) =>
      new Promise<number>((resolve) => {
        const look = () => {
          const field = document.querySelector<HTMLInputElement>(selector);
          if (field === null) return requestAnimationFrame(look);
          field.focus();
          document.execCommand('insertText', false, text);
          if (field.value !== text) return requestAnimationFrame(look);
          // The filter has worked: the list is empty.
          const answered = () => {
            const nothing = document.querySelector('.list .nothing');
            if (nothing === null) return requestAnimationFrame(answered);
            return requestAnimationFrame(() => resolve(performance.now()));
          };
          return answered();
        };
        look();
      }),
    { selector: FIELD, text: TYPED },
  );
}

function firstContentfulPaint(page: Page): Promise<number> {
  return page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN);
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function kib(loaded: Download[]): number {
  return loaded.reduce((sum, { bytes }) => sum + bytes, 0) / 1024;
}
