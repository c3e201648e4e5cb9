// Accessibility for users who see little or nothing of the screen, or are disturbed by motion: every screen and every dialog passes the
// rules that a program can check (WCAG 2.2 A and AA, and best practices), in both themes, and nothing moves if the system asks for
// reduced motion.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { EMPTY, Visitors, screensOf, walk } from '../support/screens.ts';
import { expect } from '../support/story.ts';
import { seed, test } from '../support/world.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const THEMES = ['light', 'dark'] as const;
/** The longest transition that counts as none. */
const STILL_MS = 1;

test('every screen in both themes, without motion', { tag: '@every-screen' }, async ({ browser, program, github }) => {
  test.setTimeout(900_000);
  const viewport = { width: 1440, height: 900 };
  const visitors = new Visitors(browser, program, { viewport, reducedMotion: 'reduce', colorScheme: 'light' });
  const look = async (page: Page) => {
    const faults: string[] = [];
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      faults.push(...(await violations(page)).map((fault) => `${colorScheme}: ${fault}`));
    }
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    return [...faults, ...(await motions(page)).map((motion) => `${motion} moves`)];
  };
  const faults = [...(await walk(EMPTY, visitors, look)), ...(await walk(screensOf(await seed(program, github)), visitors, look))];
  await visitors.leave();
  expect(faults, faults.join('\n')).toEqual([]);
});

/** Each violation with its rule and its place. */
async function violations(page: Page): Promise<string[]> {
  // The page has no frames, so one run checks all of it.
  const found = await new AxeBuilder({ page }).setLegacyMode(true).withTags(RULES).analyze();
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary?.replace(/\s+/g, ' ')}`),
  );
}

/** Elements with an animation or a transition. */
function motions(page: Page): Promise<string[]> {
  return page.evaluate((still) => {
    const moving = document.getAnimations().filter((animation) => Number(animation.effect?.getComputedTiming().duration) > still);
    const effects = moving.map((animation) => animation.effect as KeyframeEffect);
    return effects.map(({ target, pseudoElement }) => `${target?.tagName} ${target?.className} ${pseudoElement ?? ''}`);
  }, STILL_MS);
}
