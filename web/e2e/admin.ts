/** The management portal in a browser: whom it lets in, and what tests need to be there. */
import type { BrowserContext, Page } from '@playwright/test';
import { readDemo, type Demo } from './demo.ts';
import { complaintsIn, expect, test as farm } from './farm.ts';

/** `ORIEL_ADMIN`: where the pages are served while they are developed; otherwise the broker serves them. */
export const MANAGEMENT = process.env.ORIEL_ADMIN ?? readDemo().management;

interface Made {
  id: string;
  name: string;
}

/** What somebody signs in with. */
export interface Login {
  user_name: string;
  password: string;
}

/** Another administrator, with a browser of their own. */
export interface Colleague extends Login {
  /** The user's id. */
  id: string;
  page: Page;
}

interface Fixtures {
  /** Makes objects that are gone after the test. */
  make: (plural: string, body: Record<string, unknown>) => Promise<Made>;
  /** Makes an administrator, who is gone after the test, and signs them in. */
  colleague: (name: string, role?: Record<string, unknown>, mayFail?: boolean) => Promise<Colleague>;
  /** Changes the farm's settings until the end of the test. */
  setFarm: (change: Record<string, unknown>) => Promise<void>;
}

export const test = farm.extend<Fixtures>({
  baseURL: async ({}, use) => use(MANAGEMENT),
  page: async ({ page, demo }, use) => {
    if (process.env.ORIEL_ADMIN) await page.route('**/api/v1/sign-in', (route) => route.fulfill({ json: { me: EVERYTHING } }));
    else await signIn(page, administratorOf(demo));
    await use(page);
  },
  make: async ({ administrator, page }, use) => {
    const made: [string, string][] = [];
    await use(async (plural, body) => {
      const object = await administrator.call<Made>('POST', plural, body);
      made.unshift([plural, object.id]);
      return object;
    });
    // A page that shows what goes would ask for it once more.
    await page.goto('about:blank');
    for (const [plural, id] of made) {
      // A test may have deleted it itself.
      await administrator.call('DELETE', `${plural}/${id}?revision=${await revisionOf(administrator, plural, id)}`).catch(() => {});
    }
  },
  colleague: async ({ make, browser, baseURL }, use) => {
    const made: [BrowserContext, string[]][] = [];
    await use(async (name, role = { role: 'root' }, mayFail = false) => {
      const login = { user_name: name, password: `${name} has a long password` };
      const { id } = await make('users', { name, password: login.password, spec: {} });
      await make('administrators', { name, spec: { who: { user: id }, ...role } });
      const context = await browser.newContext({ baseURL: baseURL ?? MANAGEMENT, ignoreHTTPSErrors: true, locale: 'en-US' });
      made.push([context, complaintsIn(context, mayFail)]);
      const page = await context.newPage();
      await signIn(page, login);
      return { ...login, id, page };
    });
    for (const [context] of made) await context.close();
    expect(made.flatMap(([, complaints]) => complaints), 'the console of the colleagues’ pages').toEqual([]);
  },
  setFarm: async ({ administrator }, use) => {
    const farm = await administrator.call<Farm>('GET', 'farm');
    const set = async (spec: Record<string, unknown>) => {
      const { revision } = await administrator.call<Farm>('GET', 'farm');
      await administrator.call('PUT', 'farm', { name: farm.name, revision, spec });
    };
    await use((change) => set({ ...farm.spec, ...change }));
    await set(farm.spec);
  },
});

interface Farm {
  name: string;
  revision: number;
  spec: Record<string, unknown>;
}

async function revisionOf(administrator: { call<T>(method: string, path: string): Promise<T> }, plural: string, id: string): Promise<number> {
  return administrator.call<{ revision: number }>('GET', `${plural}/${id}`).then(({ revision }) => revision, () => 0);
}

/** What the pages make of a broker behind Vite's proxy, which adds the token of the demo. */
const AREAS = ['infrastructure', 'hosts', 'publishing', 'directory', 'sessions', 'administrators', 'audit'];
const EVERYTHING = {
  name: 'token admin', root: true, roles: [{ role: 'root', reach: {} }], session: null, user: null,
  areas: Object.fromEntries(AREAS.map((area) => [area, ['view', 'modify', 'add', 'delete', 'control']])),
};

export function administratorOf({ administrator }: Demo): Login {
  if (!administrator) throw new Error('demo.json names no administrator: the demo must make one.');
  return administrator;
}

/** Fills in name and password; who is asked for a code is not signed in yet. */
export async function fillSignIn(page: Page, { user_name, password }: Login): Promise<void> {
  await page.goto('/');
  await page.locator('input[name=username]').fill(user_name);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
}

export async function signIn(page: Page, login: Login): Promise<void> {
  await fillSignIn(page, login);
  await expect(page.getByTestId('user-menu')).toBeVisible();
}

export { expect };
