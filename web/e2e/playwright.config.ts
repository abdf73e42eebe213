import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { OUTPUT, readDemo } from './demo.ts';

export default defineConfig({
  testDir: './tests',
  outputDir: join(OUTPUT, 'failures'),
  // One host and few accounts: tests take turns.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI !== undefined,
  // A test that passes at the second try has found a fault.
  retries: 0,
  // A new session starts an X server and a program on a machine that runs everything else as well.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    baseURL: readDemo().portal,
    ignoreHTTPSErrors: true,
    locale: 'en-US',
    viewport: { width: 1280, height: 800 },
    // With the page's elements at each step, but without a film: that costs a third of the time where nothing draws but processors.
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: true },
    screenshot: 'only-on-failure',
    launchOptions: {
      // Debian's own; nothing is downloaded.
      executablePath: process.env.ORIEL_CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
    },
  },
});
