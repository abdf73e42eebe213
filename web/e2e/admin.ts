/** The management portal in a browser: whom it lets in, and what tests need to be there. */
import type { Page } from '@playwright/test';
import { readDemo, type Demo } from './demo.ts';
import { test as farm, expect } from './farm.ts';

/** `ORIEL_ADMIN`: where the pages are served while they are developed; otherwise the broker serves them. */
export const MANAGEMENT = process.env.ORIEL_ADMIN ?? readDemo().management;

interface Made {
  id: string;
  name: string;
}

interface Fixtures {
  /** Makes objects that are gone after the test. */
  make: (plural: string, body: Record<string, unknown>) => Promise<Made>;
}

export const test = farm.extend<Fixtures>({
  baseURL: async ({}, use) => use(MANAGEMENT),
  page: async ({ page, demo }, use) => {
    if (process.env.ORIEL_ADMIN) await page.route('**/api/v1/me', (route) => route.fulfill({ json: EVERYTHING }));
    else await signIn(page, demo);
    await use(page);
  },
  make: async ({ administrator }, use) => {
    const made: [string, string][] = [];
    await use(async (plural, body) => {
      const object = await administrator.call<Made>('POST', plural, body);
      made.unshift([plural, object.id]);
      return object;
    });
    for (const [plural, id] of made) {
      // A test may have deleted it itself.
      await administrator.call('DELETE', `${plural}/${id}?revision=${await revisionOf(administrator, plural, id)}`).catch(() => {});
    }
  },
});

async function revisionOf(administrator: { call<T>(method: string, path: string): Promise<T> }, plural: string, id: string): Promise<number> {
  return administrator.call<{ revision: number }>('GET', `${plural}/${id}`).then(({ revision }) => revision, () => 0);
}

/** What the pages make of a broker behind Vite's proxy, which adds the token of the demo. */
const AREAS = ['infrastructure', 'hosts', 'publishing', 'directory', 'sessions', 'administrators', 'audit'];
const EVERYTHING = {
  administrator: 'admin', user: null, role: 'root', session: null, totp: false,
  areas: Object.fromEntries(AREAS.map((area) => [area, ['view', 'modify', 'add', 'delete', 'control']])),
};

/** As an administrator of the demo does. */
async function signIn(page: Page, { administrator }: Demo): Promise<void> {
  if (!administrator) throw new Error('demo.json names no administrator: the demo must make one.');
  await page.goto('/');
  await page.locator('input[name=username]').fill(administrator.user_name);
  await page.locator('input[name=password]').fill(administrator.password);
  await page.locator('button[type=submit]').click();
  await expect(page.getByTestId('user-menu')).toBeVisible();
}

export { expect };
