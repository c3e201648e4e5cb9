// A log of 100,000 lines is usable: its end is shown at once, every line has an address, the server finds matches to step
// through, and only some lines are in the page at any time.
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { Api } from '../support/api.ts';
import { expect, picture, signIn, test } from '../support/story.ts';

const LINES = 100_000;
/** Every thousandth line that the fake playbook prints. */
const WARNINGS = LINES / 1_000;

test.use({ settings: { OCIM_PROVIDER: 'fake', OCIM_FAKE_LINES: String(LINES), OCIM_FAKE_PACE_MS: '0' } });

test('read, search and share a log of 100,000 lines', async ({ page, program }) => {
  test.setTimeout(300_000);
  const api = await Api.signIn(program);
  const instance = await api.create('Long Academy', 'long');
  const { id, status } = await api.build(instance.id);
  expect(status).toBe('running');
  const path = `/instances/${instance.id}/app-servers/${id}`;
  const card = page.getByRole('region', { name: 'Log', exact: true });
  const log = page.getByRole('log');
  const search = card.getByRole('searchbox', { name: 'Search the log' });
  const hits = card.getByRole('search').getByRole('status');

  await test.step('the end of the log is shown', async () => {
    await page.goto(path);
    await signIn(page, program);
    await expect(card).toContainText(/100,\d{3} lines/);
    await expect(log).toContainText(`line ${LINES}`);
    await expect(card.getByRole('button', { name: 'Jump to end' })).toBeHidden();
  });

  await test.step('few lines are in the page at any scroll position', async () => {
    for (const share of [0.75, 0.5, 0.25, 0]) {
      await log.evaluate((element, part) => {
        element.scrollTop = element.scrollHeight * part;
      }, share);
      await expect(log.getByRole('link', { name: new RegExp(`^Line ${lineAt(share)}`) }).first()).toBeVisible();
      await expect(log.getByText('…', { exact: true })).toHaveCount(0);
      expect(await log.locator('.line').count()).toBeLessThan(120);
    }
    await card.getByRole('button', { name: 'Jump to end' }).click();
    await expect(log).toContainText(`line ${LINES}`);
  });

  await test.step('step through the matches, forwards and backwards', async () => {
    await search.fill('LINE 4200');
    await expect(hits).toHaveText('11 of 11');
    await expectHit(page, 'line 42009');
    await search.press('Enter');
    await expect(hits).toHaveText('1 of 11');
    await expectHit(page, 'line 4200');
    await card.getByRole('button', { name: 'Next match' }).click();
    await expect(hits).toHaveText('2 of 11');
    await expectHit(page, 'line 42000');
    await expect(log.locator('mark')).toContainText(Array(10).fill('line 4200'));
    await picture(page, 'log-search');
    await search.press('Shift+Enter');
    await expect(hits).toHaveText('1 of 11');
    await card.getByRole('button', { name: 'Previous match' }).click();
    await expect(hits).toHaveText('11 of 11');
    await search.press('Escape');
    await expect(search).toHaveValue('');
    await expect(hits).toHaveText('');
    await expect(log.locator('mark')).toHaveCount(0);
    await search.fill('nowhere to be found');
    await expect(hits).toHaveText('No matches');
    await search.press('Escape');
  });

  await test.step('show only the warnings, and open one of them in the whole log', async () => {
    await card.getByLabel('Level').selectOption('Warnings and errors');
    await expect(card).toContainText(`${WARNINGS} lines found`);
    await expect(log).toContainText(`line ${LINES}`);
    const warning = log.locator('.line', { hasText: 'line 98000' });
    await expect(warning.locator('.c3')).toHaveText(/^app server/);
    const number = await warning.getByRole('link').textContent();
    await warning.getByRole('link').click();
    await expect(page).toHaveURL(new RegExp(`${path}#L${number}$`));
    await expect(card).toContainText(/100,\d{3} lines/);
    await expect(log.locator('.line.named')).toContainText('line 98000');
    await expect(log.locator('.line.named')).toBeInViewport();
  });

  await test.step('a link to a line opens it', async () => {
    await page.goto('/');
    await page.goto(`${path}#L50000`);
    const named = log.locator('.line.named');
    await expect(named.getByRole('link')).toHaveText('50000');
    await expect(named).toBeInViewport();
  });

  await test.step('times can be hidden and shown, and the browser remembers it', async () => {
    const times = log.locator('.t').first();
    await expect(times).toBeVisible();
    await card.getByText('Options', { exact: true }).click();
    await card.getByLabel('Time stamps').uncheck();
    await expect(times).toBeHidden();
    await page.reload();
    await expect(log.locator('.line').first()).toBeVisible();
    await expect(times).toBeHidden();
  });

  await test.step('the download has the whole log', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), card.getByRole('link', { name: 'Download' }).click()]);
    const lines = readFileSync(await download.path(), 'utf8').trimEnd().split('\n');
    const printed = lines.filter((line) => / line \d+$/.test(line));
    expect(printed).toHaveLength(LINES);
    expect(printed.at(-1)).toMatch(/ line 100000$/);
  });
});

/** The prefix of a line's number in the log. */
function lineAt(share: number): string {
  return share === 0 ? '1$' : String(share * 100) + '\\d{3}$';
}

async function expectHit(page: Page, text: string): Promise<void> {
  const current = page.getByRole('log').locator('.line[aria-current="true"]');
  await expect(current).toHaveText(new RegExp(`${text}$`));
  await expect(current).toBeInViewport();
}
