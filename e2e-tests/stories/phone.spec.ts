// On a phone, by touch: the usual tasks; and on every screen, no content is wider than the screen, and touch targets are
// large enough.
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { EMPTY, Visitors, screensOf, walk } from '../support/screens.ts';
import { expect, FAKE_MACHINES, picture, signIn, test as plain } from '../support/story.ts';
import { ENDLESS, seed, test } from '../support/world.ts';

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
/** The smallest touch target, in CSS pixels (WCAG 2.5.8). */
const LEAST_TARGET_PX = 24;

plain.describe('on the way', () => {
  plain.use({ ...PHONE, settings: FAKE_MACHINES });

  plain('look, stop a build, activate, roll back', async ({ page, program }) => {
    const api = await Api.signIn(program);
    const instance = await api.create('Astronomy Academy', 'astronomy');
    const endless = await api.create('Botany Academy', 'botany', ENDLESS);
    await api.activate((await api.build(instance.id)).id);
    await api.build(instance.id);
    await api.launch(endless.id);

    await plain.step('home shows the work in progress', async () => {
      await page.goto('/');
      await signIn(page, program);
      await expect(page.getByRole('region', { name: 'Building now' })).toContainText('Botany Academy');
      await expect(page.getByRole('region', { name: 'Needs attention' })).toContainText('AppServer 2 is ready to activate');
      await picture(page, 'phone-home');
    });

    await plain.step('the list is a page of its own, and leads to an instance', async () => {
      await page.getByRole('link', { name: 'Instances', exact: true }).tap();
      await expect(page).toHaveURL(/\/instances$/);
      await expect(page.getByRole('main')).toBeHidden();
      await picture(page, 'phone-list');
      await page.getByRole('link', { name: /^Botany Academy/ }).tap();
      await expect(page.getByRole('heading', { name: 'Botany Academy' })).toBeVisible();
      await expect(page.getByRole('navigation', { name: 'Instances' })).toBeHidden();
    });

    await plain.step('stop a build', async () => {
      await expect(lane(page, 'Next')).toContainText(/task \d+ of \d+/);
      await picture(page, 'phone-building');
      await lane(page, 'Next').getByRole('button', { name: 'Stop build' }).tap();
      const dialog = page.getByRole('dialog', { name: 'Stop the build of AppServer 1?' });
      await dialog.getByRole('button', { name: 'Stop build' }).tap();
      await expect(page.getByText(`Build stopped by ${program.username}`)).toBeVisible();
      await expect(page.locator('.toast'), 'the notice that it is being stopped is out of date').toHaveCount(0);
    });

    await plain.step('activate', async () => {
      await page.getByRole('link', { name: 'Instances', exact: true }).tap();
      await page.getByRole('link', { name: /^Astronomy Academy/ }).tap();
      await lane(page, 'Next').getByRole('button', { name: 'Activate this app server' }).tap();
      const dialog = page.getByRole('dialog', { name: 'Activate AppServer 2?' });
      await expect(dialog.locator('.checks .good').first()).toBeVisible();
      await picture(page, 'phone-activate');
      await dialog.getByRole('button', { name: 'Activate AppServer 2' }).tap();
      await expect(page.getByText('AppServer 2 is now active.')).toBeVisible();
      await page.locator('.toast').getByRole('button', { name: 'Dismiss' }).tap();
    });

    await plain.step('the log', async () => {
      await page.getByRole('log').scrollIntoViewIfNeeded();
      await expect(page.getByRole('log')).toContainText('line 40');
      await picture(page, 'phone-log');
    });

    await plain.step('roll back', async () => {
      await lane(page, 'Now serving').getByRole('button', { name: 'Roll back to AppServer 1' }).tap();
      const dialog = page.getByRole('dialog', { name: 'Roll back to AppServer 1?' });
      await expect(dialog.locator('.checks .good').first()).toBeVisible();
      await dialog.getByRole('button', { name: 'Roll back to AppServer 1' }).tap();
      await expect(lane(page, 'Now serving')).toContainText('AppServer 1');
      await expect(page.getByRole('status', { name: 'Hold' })).toBeVisible();
    });
  });
});

test('every screen fits, and touch targets are large enough', { tag: '@every-screen' }, async ({ browser, program, github }) => {
  test.setTimeout(900_000);
  const visitors = new Visitors(browser, program, { ...PHONE, reducedMotion: 'reduce' });
  const look = async (page: Page) => [
    ...(await page.evaluate(tooWide)),
    ...(await page.evaluate(tooSmall, LEAST_TARGET_PX)),
    ...(await closeTargets(page)),
  ];
  const faults = [...(await walk(EMPTY, visitors, look)), ...(await walk(screensOf(await seed(program, github)), visitors, look))];
  await visitors.leave();
  expect(faults, faults.join('\n')).toEqual([]);
});

function lane(page: Page, name: string): Locator {
  return page.getByRole('article', { name });
}

/** Links within text may be smaller if no other target is near; this takes that into account. */
async function closeTargets(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).setLegacyMode(true).withRules(['target-size']).analyze();
  return found.violations.flatMap(({ nodes }) => nodes.map(({ target }) => `${target.join(' ')} is too small or too near to another`));
}

/** Parts wider than they may be: the page itself, or an element that only scrolls vertically. Runs in the page. */
function tooWide(): string[] {
  const parts = document.querySelectorAll('.main, .list, .rows, dialog[open], dialog[open] .body');
  return [document.scrollingElement, ...Array.from(parts)].flatMap((part) => {
    if (part === null || part.scrollWidth <= part.clientWidth || part.clientWidth === 0) return [];
    const edge = part.getBoundingClientRect().left + part.clientWidth;
    const wide = Array.from(part.querySelectorAll('*')).reverse().find((element) => element.getBoundingClientRect().right > edge + 0.5);
    return [`${part.tagName}.${part.className} is ${part.scrollWidth} px wide; in it ${wide?.tagName}.${wide?.className}`];
  });
}

/** Runs in the page. */
function tooSmall(least: number): string[] {
  const scope = document.querySelector('dialog[open]') ?? document;
  const all = scope.querySelectorAll<HTMLElement>('button, .btn, summary, select, textarea, input:not([type="checkbox"], [type="radio"])');
  return Array.from(all).flatMap((element) => {
    const { width, height } = element.getBoundingClientRect();
    if (!element.checkVisibility({ visibilityProperty: true }) || (width >= least && height >= least)) return [];
    return [`${element.tagName} «${element.getAttribute('aria-label') ?? element.textContent?.trim()}» is ${Math.round(width)} by ${Math.round(height)} px`];
  });
}
