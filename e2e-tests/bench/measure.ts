// Measures a screen: the time until it is shown, frames per second, and memory.
import type { Page } from '@playwright/test';
import { note } from './figures.ts';

const MIB = 1024 * 1024;

/** The selector of the element that is scrolled. */
export interface Scrolled {
  page: Page;
  selector: string;
}

/** Opens a URL and returns the milliseconds until the first element of a selector is painted. */
export async function firstPaint(page: Page, url: string, selector: string): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' });
  const painted = await page.waitForFunction(
    (wanted) => {
      if (document.querySelector(wanted) === null) return 0;
      // The frame that shows the element has ended when the next one begins.
      return new Promise<number>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
      });
    },
    selector,
    { polling: 'raf' },
  );
  return painted.jsonValue();
}

/** Frames per second over some time, while each frame scrolls by some pixels, back and forth between the ends. */
export async function framesPerSecond({ page, selector }: Scrolled, milliseconds: number, pixels: number): Promise<number> {
  return page.evaluate(
    ({ selector, milliseconds, pixels }) =>
      new Promise<number>((resolve, reject) => {
        const scrolled = document.querySelector(selector);
        if (scrolled === null) return reject(new Error(`there is no ${selector}`));
        let [frames, step, began] = [0, pixels, 0];
        const frame = (now: number) => {
          if (began === 0) began = now;
          else frames += 1;
          if (now - began >= milliseconds) return resolve((frames * 1000) / (now - began));
          if (pixels !== 0) {
            const before = scrolled.scrollTop;
            scrolled.scrollTop = before + step;
            if (scrolled.scrollTop === before) step = -step;
          }
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      }),
    { selector, milliseconds, pixels },
  );
}

/** Frames per second while only the page itself moves. */
export function framesPerSecondAtRest(scrolled: Scrolled, milliseconds: number): Promise<number> {
  return framesPerSecond(scrolled, milliseconds, 0);
}

/** An empty page that scrolls as far as the other one: the best that the browser can do. */
export async function emptyLike({ page, selector }: Scrolled): Promise<Scrolled> {
  const size = await page.locator(selector).evaluate((scrolled) => ({
    height: scrolled.clientHeight,
    whole: scrolled.scrollHeight,
  }));
  const empty = await page.context().newPage();
  await empty.setContent(
    `<div id="scrolled" style="height:${size.height}px;overflow:auto"><div style="height:${size.whole}px"></div></div>`,
  );
  return { page: empty, selector: '#scrolled' };
}

export interface Memory {
  heapMiB: number;
  wasmMiB: number;
  totalMiB: number;
}

/** The memory of the page's JavaScript and WebAssembly, after a garbage collection. */
export async function memory(page: Page): Promise<Memory> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('HeapProfiler.collectGarbage');
    await session.send('Performance.enable');
    const { metrics } = await session.send('Performance.getMetrics');
    const heap = metrics.find((metric) => metric.name === 'JSHeapUsedSize')?.value ?? Number.NaN;
    const wasm = await wasmBytes(page);
    return { heapMiB: heap / MIB, wasmMiB: wasm / MIB, totalMiB: (heap + wasm) / MIB };
  } finally {
    await session.detach();
  }
}

/** The memory of the page's WebAssembly; its parts share it. */
function wasmBytes(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const script = document.querySelector<HTMLMetaElement>('meta[name="ocim-app"]')?.dataset['js'];
    const { initSync } = (await import(script ?? '')) as { initSync: () => { memory: WebAssembly.Memory } };
    return initSync().memory.buffer.byteLength;
  });
}

/** Frames per second, compared with an empty page. */
export function noteFrames(what: string, frames: number, best: number): void {
  note({ what: `${what} (an empty page: ${best.toFixed(1)})`, value: frames, unit: 'fps' });
  note({ what: `${what}, of an empty page's frames`, value: (frames / best) * 100, unit: '%', atLeast: 80 });
}
