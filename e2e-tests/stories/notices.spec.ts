// Notices have a place of their own, cover no control, and disappear when they are out of date.
import type { Locator, Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, FAKE_MACHINES, signIn, test } from '../support/story.ts';

test.use({ settings: FAKE_MACHINES });

const PHONE = { width: 360, height: 800 };
const DESK = { width: 1440, height: 900 };

test('a notice covers no control, takes no focus and disappears when it is out of date', async ({ page, program }) => {
  const api = await Api.signIn(program);
  await page.goto('/instances/new');
  await signIn(page, program);

  await test.step('it appears below the page, on a desktop and on a phone', async () => {
    await page.getByLabel('Name', { exact: true }).fill('Geology Academy');
    await page.getByLabel('Subdomain').fill('geology');
    await page.getByRole('button', { name: 'Create instance' }).click();
    await expect(toast(page)).toContainText('Geology Academy created.');
    for (const viewport of [DESK, PHONE]) {
      await page.setViewportSize(viewport);
      expect(await covered(page), `at ${viewport.width} px`).toEqual([]);
    }
    await page.setViewportSize(DESK);
    expect(await toast(page).evaluate((toast) => toast.contains(document.activeElement))).toBe(false);
    await expect(toast(page)).toHaveRole('status');
  });

  await test.step('it disappears once the first app server is launched', async () => {
    await lane(page, 'Next').getByRole('button', { name: 'Launch new AppServer' }).click();
    await expect(lane(page, 'Next')).toContainText('AppServer 1');
    await expect(toast(page)).toHaveCount(0, { timeout: 3_000 });
  });

  await test.step('a change by another user also makes it disappear', async () => {
    await expect(lane(page, 'Next')).toContainText('Running', { timeout: 60_000 });
    await lane(page, 'Next').getByRole('button', { name: 'Activate this app server' }).click();
    const dialog = page.getByRole('dialog', { name: 'Activate AppServer 1?' });
    await expect(dialog.locator('.checks .good').first()).toBeVisible();
    const second = await api.build(Number(new URL(page.url()).pathname.split('/')[2]));
    await dialog.getByRole('button', { name: 'Activate AppServer 1' }).click();
    await expect(toast(page)).toContainText('AppServer 1 is now active.');
    await api.activate(second.id);
    await expect(toast(page)).toHaveCount(0, { timeout: 5_000 });
  });
});

function toast(page: Page): Locator {
  return page.getByRole('region', { name: 'Notices' }).locator('.toast');
}

function lane(page: Page, name: string): Locator {
  return page.getByRole('article', { name });
}

/** The controls that a notice covers. */
async function covered(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const notices = document.querySelector('.toasts')?.getBoundingClientRect();
    if (notices === undefined || notices.height === 0) return ['there is no notice'];
    const seen = (element: Element) => {
      // Only the part that is visible in its scrolling parents.
      const area = element.getBoundingClientRect();
      let [top, bottom] = [area.top, area.bottom];
      for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
        if (getComputedStyle(parent).overflowY === 'visible') continue;
        const window = parent.getBoundingClientRect();
        [top, bottom] = [Math.max(top, window.top), Math.min(bottom, window.bottom)];
      }
      return { top, bottom };
    };
    const controls = Array.from(document.querySelectorAll('button, a, input, select, summary'));
    return controls
      .filter((control) => control.closest('.toasts') === null && control.checkVisibility({ visibilityProperty: true }))
      .filter((control) => {
        const { top, bottom } = seen(control);
        return bottom > top && bottom > notices.top + 0.5 && top < notices.bottom;
      })
      .map((control) => control.textContent ?? control.tagName);
  });
}
