// The common start of every story: a freshly started program, and the few steps that all stories take.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
import { Program, type Settings } from './program.ts';

export { expect };

export const test = base.extend<{ program: Program; settings: Settings }>({
  /** Options of a story's program. */
  settings: async ({}, use) => use({}),
  program: [
    async ({ settings }, use, testInfo) => {
      const program = await Program.start(settings);
      await use(program);
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach('program.log', { path: program.logPath, contentType: 'text/plain' });
      }
      await program.stop();
    },
    { timeout: 240_000 },
  ],
  baseURL: ({ program }, use) => use(program.url),
});

/** Fake machines, with builds that take a moment: for stories about the screens. */
export const FAKE_MACHINES: Settings = { OCIM_PROVIDER: 'fake', OCIM_FAKE_LINES: '40', OCIM_FAKE_PACE_MS: '10' };

/** Fills the login page that is shown. */
export async function signIn(page: Page, who: { username: string; password: string }): Promise<void> {
  await page.getByLabel('Username').fill(who.username);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeHidden();
}

/** Saves a picture of the screen in both themes: `make screens` puts it into docs/screens, other runs beside their results. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENS_DIR'] ?? 'test-results/screens';
  mkdirSync(directory, { recursive: true });
  for (const [colorScheme, suffix] of [['light', ''], ['dark', '-dark']] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(directory, `${name}${suffix}.png`), animations: 'disabled', caret: 'hide' });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
