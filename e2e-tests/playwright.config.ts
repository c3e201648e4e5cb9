// Stories against the real program in Debian's Chromium. One at a time: each starts machines, and another story's load would
// disturb those that measure. No retries: a story that passes only at the second attempt has found a bug.
import { defineConfig } from '@playwright/test';

const isRoot = process.getuid?.() === 0;

/** The tag of stories that walk through every screen. */
export const EVERY_SCREEN = /@every-screen/;

export default defineConfig({
  testDir: 'stories',
  outputDir: 'test-results',
  // Those take minutes each: every-screen.config.ts.
  grepInvert: EVERY_SCREEN,
  fullyParallel: false,
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  reporter: 'list',
  timeout: 120_000,
  expect: { timeout: 15_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    locale: 'en-GB',
    actionTimeout: 15_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      chromiumSandbox: !isRoot,
      // Only the program gets requests.
      args: [
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
