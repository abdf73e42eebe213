/** What every test gets: the farm from the administrator's side, and a portal with hands and eyes. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, request, type APIRequestContext, type BrowserContext, type Locator, type Page } from '@playwright/test';
import { OUTPUT, accountOf, findHome, homeOf, readDemo, type Account, type Demo } from './demo.ts';

interface SessionView {
  id: string;
  user_name: string;
  resource_name: string;
  state: string;
  /** The gateway that carries its connection; empty: none does. */
  gateway_name: string;
  connection: { id: string; round_trip_ms: number | null; bytes_to_client: number } | null;
  logon: Record<'brokering_ms' | 'prepare_ms' | 'connect_ms' | 'host_logon_ms' | 'first_picture_ms' | 'total_ms', number | null> | null;
}

interface ProcessView {
  process_id: number;
  name: string;
  command_line: string;
}

export class Administrator {
  readonly #api: APIRequestContext;

  constructor(api: APIRequestContext) {
    this.#api = api;
  }

  async sessions(user: string): Promise<SessionView[]> {
    const { items } = await this.#json<{ items: SessionView[] }>('GET', '/api/v1/sessions');
    return items.filter((session) => session.user_name === user);
  }

  async processes(session: string): Promise<ProcessView[]> {
    const answer = await this.#json<{ processes: ProcessView[] }>('GET', `/api/v1/sessions/${session}/processes`);
    return answer.processes;
  }

  async reset(session: string): Promise<void> {
    await this.#json('POST', `/api/v1/sessions/${session}/reset`);
  }

  /** Anything else of the management API; `path` is what follows `/api/v1/`. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#json<T>(method, `/api/v1/${path}`, body);
  }

  /** Ends whatever the user has running, so that the next test begins with nothing. */
  async clear(account: Account): Promise<void> {
    const user = account.user_name;
    for (const session of await this.sessions(user)) await this.reset(session.id);
    await expect.poll(() => this.sessions(user), { message: `sessions of ${user}` }).toEqual([]);
    // Text that a reset took from the editor; it would ask about it before anything else.
    const home = findHome(account);
    if (home !== '') rmSync(join(home, '.local/share/Mousepad'), { recursive: true, force: true });
  }

  async #json<T>(method: string, path: string, data?: unknown): Promise<T> {
    const answer = await this.#api.fetch(path, { method, data });
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return (answer.status() === 204 ? undefined : await answer.json()) as T;
  }
}

export class Portal {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async signIn(account: Account): Promise<void> {
    await this.page.goto('/');
    await this.fillSignIn(account);
    await expect(this.page.getByTestId('portal')).toBeVisible();
  }

  /** In whichever language the page is. */
  async fillSignIn(account: Account): Promise<void> {
    await this.page.locator('input[name=username]').fill(account.user_name);
    await this.page.locator('input[name=password]').fill(account.password);
    await this.page.locator('button[type=submit]').click();
  }

  /** The tile of a program, wherever it lies: found as users find it. */
  async find(name: string): Promise<Locator> {
    await this.page.getByTestId('tab-programs').click();
    await this.page.getByTestId('search').fill(name);
    return this.page.locator(`[data-testid=resource][data-resource="${name}"]`);
  }

  async open(name: string): Promise<Session> {
    const tile = await this.find(name);
    const [page] = await Promise.all([this.page.context().waitForEvent('page'), tile.getByRole('link').click()]);
    await this.page.getByTestId('search').fill('');
    return new Session(page);
  }
}

/** How much of the picture must differ to be more than a blinking cursor. */
const REAL_CHANGE = 0.01;
const SAMPLE = { width: 160, height: 100 };

export class Session {
  readonly page: Page;
  readonly root: Locator;

  constructor(page: Page) {
    this.page = page;
    this.root = page.getByTestId('session');
  }

  async connected(): Promise<this> {
    await expect(this.root, 'the session is connected').toHaveAttribute('data-state', 'connected', { timeout: 45_000 });
    return this;
  }

  /** Waits until the editor's white page is there and takes keys. */
  async ready(): Promise<this> {
    await this.connected();
    await expect
      .poll(() => this.whiteness(), { message: 'how much of the picture is white', timeout: 30_000 })
      .toBeGreaterThan(0.5);
    return this.settled();
  }

  /** How much of the picture is white, or nearly so: most of it where the editor's page is in front. */
  async whiteness(above = 230): Promise<number> {
    return (await this.#sample()).filter((value) => value > above).length / (SAMPLE.width * SAMPLE.height);
  }

  /** Waits until a program has drawn its window and nothing moves any more. */
  async settled(): Promise<this> {
    await this.connected();
    let last = await this.#sample();
    let still = 0;
    await expect
      .poll(
        async () => {
          const now = await this.#sample();
          const isDrawn = new Set(now).size > 8;
          still = isDrawn && difference(last, now) < REAL_CHANGE ? still + 1 : 0;
          last = now;
          return still;
        },
        { message: 'the picture comes to rest', intervals: [200], timeout: 30_000 },
      )
      .toBeGreaterThanOrEqual(6);
    return this;
  }

  /** Does something and waits until it shows. */
  async see(what: string, act: () => Promise<void>, change = REAL_CHANGE): Promise<void> {
    const before = await this.#sample();
    await act();
    await expect
      .poll(async () => difference(before, await this.#sample()), { message: what, intervals: [100] })
      .toBeGreaterThan(change);
    await this.settled();
  }

  /** Types on the physical keys of a US keyboard; only what needs no Shift. */
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text, { delay: 15 });
  }

  async press(keys: string): Promise<void> {
    await this.page.keyboard.press(keys, { delay: 30 });
  }

  /** Saves what the editor holds and looks for it on the host. */
  async save(account: Account, content: string): Promise<void> {
    // Keys that type the same on any Latin keyboard.
    const name = `kept${Date.now()}.txt`;
    const file = join(homeOf(account), name);
    await this.see('the dialog to save appears', () => this.press('Control+S'));
    await this.press('Control+A');
    await this.type(name);
    // The dialog looks for names like it; Enter belongs to that until it has found none.
    await this.settled();
    await this.press('Enter');
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8').trim(), { message: `the content of ${file}` }).toBe(content);
    rmSync(file);
    await this.settled();
  }

  async ended(reason: string): Promise<Locator> {
    await expect(this.root, 'the session has ended').toHaveAttribute('data-state', 'ended');
    const card = this.page.getByTestId('ended');
    await expect(card).toHaveAttribute('data-reason', reason);
    return card;
  }

  /** The picture in small, as brightness. */
  #sample(): Promise<number[]> {
    return this.page.evaluate(({ width, height }) => {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=stage] canvas:last-of-type');
      const small = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      if (!canvas || !small) return [];
      small.drawImage(canvas, 0, 0, width, height);
      const { data } = small.getImageData(0, 0, width, height);
      return Array.from({ length: width * height }, (_, index) =>
        Math.round(((data[index * 4] ?? 0) + (data[index * 4 + 1] ?? 0) + (data[index * 4 + 2] ?? 0)) / 3),
      );
    }, SAMPLE);
  }
}

function difference(a: number[], b: number[]): number {
  if (a.length !== b.length) return 1;
  return a.filter((value, index) => Math.abs(value - (b[index] ?? 0)) > 16).length / Math.max(1, a.length);
}

/** Holds the page against WCAG 2.2 AA, as far as a machine can. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    // No page has frames, which would need a second page to put the results together; of what is right nothing is told.
    .setLegacyMode()
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }))).toEqual([]);
}

export async function picture(page: Page, name: string): Promise<void> {
  const folder = join(OUTPUT, 'screenshots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Waits until nothing moves: a picture would catch it half way. What turns for ever may. */
export async function still(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every(({ effect, playState }) => playState !== 'running' || effect?.getTiming().iterations === Infinity));
}

/** Has the page change its colours, as the system does. */
export async function inColour(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
  await still(page);
}

/** A page in both widths and both colours, each a file of its own. */
export async function looks(page: Page, name: string): Promise<void> {
  const wide = page.viewportSize() ?? { width: 1280, height: 800 };
  for (const [width, size] of [['wide', wide], ['narrow', { width: 390, height: 844 }]] as const) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await inColour(page, colorScheme);
      await picture(page, `${name}-${width}-${colorScheme}`);
    }
  }
  await page.setViewportSize(wide);
  await inColour(page, 'light');
}

/** Looks at a page as its users do: on a wide screen, on a phone, and in the dark. */
export async function pictures(page: Page, name: string): Promise<void> {
  const wide = page.viewportSize() ?? { width: 1280, height: 800 };
  await picture(page, name);
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, `${name}-narrow`);
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** What browsers say of answers that are refusals and of connections that fail: no page can prevent it. */
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to .* failed)/;

/** Collects what pages complain of in the console. */
export function complaintsIn(context: BrowserContext, mayFail: boolean): string[] {
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() !== 'warning' && message.type() !== 'error') return;
    if (mayFail && OF_THE_NETWORK.test(message.text())) return;
    complaints.push(`${message.type()} on ${message.page()?.url()}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => complaints.push(`uncaught: ${error.error().stack ?? error.error()}`));
  return complaints;
}

interface Options {
  /** Whether the test brings about refusals and failures, which browsers note in the console. */
  mayFail: boolean;
}

interface Fixtures {
  /** Fails the test whose pages complain in the console. */
  quiet: void;
  demo: Demo;
  administrator: Administrator;
  /** In the group Office. */
  anna: Account;
  /** In the group Engineering. */
  ben: Account;
  portal: Portal;
}

export const test = base.extend<Fixtures & Options>({
  mayFail: [false, { option: true }],
  quiet: [
    async ({ context, mayFail }, use) => {
      const complaints = complaintsIn(context, mayFail);
      await use();
      expect(complaints, 'the console of the pages').toEqual([]);
    },
    { auto: true },
  ],
  demo: async ({}, use) => use(readDemo()),
  anna: ({ demo }, use) => use(accountOf(demo, 'Office')),
  ben: ({ demo }, use) => use(accountOf(demo, 'Engineering')),
  administrator: async ({ demo, anna, ben }, use) => {
    const api = await request.newContext({
      baseURL: demo.management,
      ignoreHTTPSErrors: true,
      extraHTTPHeaders: { authorization: `Bearer ${demo.api_token}` },
    });
    const administrator = new Administrator(api);
    const clear = async () => {
      for (const account of [anna, ben]) await administrator.clear(account);
    };
    await clear();
    await use(administrator);
    await clear();
    await api.dispose();
  },
  portal: async ({ page, administrator: _ }, use) => use(new Portal(page)),
});

export { expect };
