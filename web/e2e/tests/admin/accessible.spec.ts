import { expectAccessible, inColour, picture, still } from '../../farm.ts';
import { expect, test as base } from '../../admin.ts';
import { PAGES } from '../../pages.ts';

/** Each page is held against the rules in one colour, and looked at in both. */
const LOOKS = {
  wide: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  narrow: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
} as const;

/** Kinds with one object's page to look at, and its tabs. */
const OBJECTS: [plural: string, tabs: string[]][] = [
  ['hosts', ['state', 'sessions', 'programs', 'history']],
  ['pools', ['hosts', 'history']],
  ['farms', []],
  ['sites', []],
  ['gateways', ['state']],
  ['users', ['access', 'history']],
  ['groups', ['members']],
  ['resources', ['history']],
  ['policies', []],
  ['logon_hours', []],
  ['schedules', []],
];

interface Fixtures {
  /** Objects of kinds of which the demo has none. */
  some: void;
  /** Looks at the page as it is; what is wrong with any is told at the end. */
  check: (name: string) => Promise<void>;
}

const test = base.extend<Fixtures & { look: keyof typeof LOOKS }>({
  look: ['wide', { option: true }],
  some: async ({ look, administrator, make }, use) => {
    const group = (await administrator.call<{ items: { id: string }[] }>('GET', 'groups')).items[0]?.id;
    const pool = (await administrator.call<{ items: { id: string }[] }>('GET', 'pools')).items[0]?.id;
    const rules = { otherwise: 'deny', rules: [{ name: 'Some', effect: 'allow', criteria: [{ type: 'group', objects: [group], negated: false }, { type: 'client_os', objects: ['windows', 'linux'], negated: true }] }] };
    await make('policies', { name: `Clipboard one way ${look}`, spec: { rules, settings: { clipboard: { direction: 'to_session' } } } });
    await make('logon_hours', { name: `Office ${look}`, spec: { open: [{ days: ['monday', 'friday'], from: '08:00:00', to: '18:00:00' }], enabled: false } });
    await make('schedules', { name: `Sunday ${look}`, spec: { starts_at: '2030-01-06T02:00:00', repeat: 'FREQ=WEEKLY;BYDAY=SU', enabled: true, target: { of: 'pools', pools: [pool] }, action: { do: 'disable', duration_minutes: 60 } } });
    await make('notifications', { name: `Host away ${look}`, spec: { event: 'host_away', enabled: false } });
    await use();
  },
  check: async ({ page, look }, use) => {
    const wrong: unknown[] = [];
    await use(async (name) => {
      // The first paint after a change is not the last: things fade in.
      await still(page);
      await expectAccessible(page).catch((error: Error) => wrong.push(`${name}: ${error.message.slice(0, 1500)}`));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) wrong.push(`${name} is ${over} px wider than the window`);
      for (const colorScheme of ['dark', 'light'] as const) {
        await inColour(page, colorScheme);
        await picture(page, `admin-${name}-${look}-${colorScheme}`);
      }
      await inColour(page, LOOKS[look].colorScheme);
    });
    expect(wrong).toEqual([]);
  },
});

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    // Movement would be caught half way.
    test.use({ ...options, look: look as keyof typeof LOOKS, contextOptions: { reducedMotion: 'reduce' } });
    // Some forty pages in each, held against every rule.
    test.describe.configure({ timeout: 900_000 });

    test('every page of the management portal is accessible', async ({ page, some: _, check }) => {
      for (const [name, path, shows] of PAGES) {
        await page.goto(path);
        await expect(page.locator(shows).first(), path).toBeVisible();
        await check(name);
      }
    });

    test('the pages of every kind of object are', async ({ page, administrator, some: _, check }) => {
      for (const [plural, tabs] of OBJECTS) {
        const { items } = await administrator.call<{ items: { id: string }[] }>('GET', plural);
        const id = items[0]?.id;
        await page.goto(`/${plural}/${id}`);
        await expect(page.getByRole('tabpanel')).toBeVisible();
        await check(`${plural}-one`);
        for (const tab of tabs) {
          await page.goto(`/${plural}/${id}?tab=${tab}`);
          await expect(page.getByRole('tabpanel')).toBeVisible();
          await check(`${plural}-${tab}`);
        }
        await page.goto(`/${plural}/${id}?edit=true`);
        await expect(page.getByTestId('editing')).toBeVisible();
        await check(`${plural}-edit`);
      }
    });

    test('what opens over a page, and what stands for its charts, are', async ({ page, check }) => {
      await page.goto('/');
      await page.getByTestId('load-table').click();
      await expect(page.getByTestId('load-row').first()).toBeVisible();
      await check('dashboard-table');
      await page.getByTestId('user-menu').click();
      await check('user-menu');
      await page.keyboard.press('Escape');
      await page.getByTestId('open-search').click();
      await page.keyboard.type('a');
      await expect(page.getByRole('option').or(page.locator('[data-action]')).first()).toBeVisible();
      await check('search');
      await page.goto('/audit');
      await page.getByTestId('revert').first().click();
      await expect(page.getByTestId('revert-now')).toBeVisible();
      await check('revert');
    });
  });
}
