import { expectAccessible, picture } from '../../farm.ts';
import { expect, test } from '../../admin.ts';

/** Between them: both widths, both colours. */
const LOOKS = {
  wide: { viewport: { width: 1280, height: 800 } },
  narrow: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
} as const;

/** What each page shows when it is there; its address. */
const PAGES: [name: string, path: string, shows: string][] = [
  ['dashboard', '/', '[data-testid=tiles]'],
  ['start', '/start', 'main h1'],
  ['sessions', '/sessions', 'main h1'],
  ['hosts', '/hosts', '[data-testid=row]'],
  ['add-host', '/hosts/add', '[data-testid=invite]'],
  ['pools', '/pools', '[data-testid=row]'],
  ['schedules', '/schedules', '[data-testid=row]'],
  ['calendar', '/calendar', 'main h1'],
  ['publishing', '/publishing', '[data-testid=tree]'],
  ['publish', '/publishing/add', '[data-testid=next]'],
  ['resource-new', '/resources/new', '[data-testid=make]'],
  ['policies', '/policies', '[data-testid=row]'],
  ['policy-new', '/policies/new', '[data-testid=make]'],
  ['logon-hours', '/logon_hours', '[data-testid=row]'],
  ['logon-hours-new', '/logon_hours/new', '[data-testid=week]'],
  ['schedule-new', '/schedules/new', '[data-testid=make]'],
  ['access', '/access', 'main h1'],
  ['users', '/users', '[data-testid=row]'],
  ['user-new', '/users/new', '[data-testid=make]'],
  ['groups', '/groups', '[data-testid=row]'],
  ['sites', '/sites', '[data-testid=row]'],
  ['gateways', '/gateways', '[data-testid=row]'],
  ['brokers', '/brokers', '[data-testid=row]'],
  ['invitations', '/invitations', '[data-testid=row]'],
  ['administrators', '/administrators', '[data-testid=row]'],
  ['notifications', '/notifications', '[data-testid=row]'],
  ['notification-new', '/notifications/new', '[data-testid=make]'],
  ['administrator-new', '/administrators/new', '[data-testid=make]'],
  ['signed-in', '/signed-in', 'main h1'],
  ['tokens', '/tokens', '[data-testid=row]'],
  ['backups', '/backups', 'main h1'],
  ['audit', '/audit', '[data-testid=history]'],
  ['account', '/account', '[data-testid=own-sign-ins]'],
  ['mailbox', '/mailbox', 'main h1'],
  ['nothing', '/no-such-page/at-all/really', 'main h1'],
];

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

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    // Movement would be caught half way.
    test.use({ ...options, contextOptions: { reducedMotion: 'reduce' } });
    // Some sixty pages, each held against every rule.
    test.describe.configure({ timeout: 600_000 });

    test('every page of the management portal is accessible', async ({ page, administrator, make }) => {
      const group = (await administrator.call<{ items: { id: string }[] }>('GET', 'groups')).items[0]?.id;
      const pool = (await administrator.call<{ items: { id: string }[] }>('GET', 'pools')).items[0]?.id;
      const rules = { otherwise: 'deny', rules: [{ name: 'Some', effect: 'allow', criteria: [{ type: 'group', objects: [group], negated: false }, { type: 'client_os', objects: ['windows', 'linux'], negated: true }] }] };
      await make('policies', { name: `Clipboard one way ${look}`, spec: { rules, settings: { clipboard: { direction: 'to_session' } } } });
      await make('logon_hours', { name: `Office ${look}`, spec: { open: [{ days: ['monday', 'friday'], from: '08:00:00', to: '18:00:00' }], enabled: false } });
      await make('schedules', { name: `Sunday ${look}`, spec: { starts_at: '2030-01-06T02:00:00', repeat: 'FREQ=WEEKLY;BYDAY=SU', enabled: true, target: { of: 'pools', pools: [pool] }, action: { do: 'disable', duration_minutes: 60 } } });

      await make('notifications', { name: `Host away ${look}`, spec: { event: 'host_away', enabled: false } });

      const wrong: unknown[] = [];
      const check = async (name: string) => {
        // The first paint after a change is not the last: things fade in.
        await page.waitForFunction(() => document.getAnimations().every(({ effect, playState }) => playState !== 'running' || effect?.getTiming().iterations === Infinity));
        await picture(page, `admin-${name}-${look}`);
        await expectAccessible(page).catch((error: Error) => wrong.push(`${name}: ${error.message.slice(0, 1500)}`));
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) wrong.push(`${name} is ${over} px wider than the window`);
      };

      for (const [name, path, shows] of PAGES) {
        await page.goto(path);
        await expect(page.locator(shows).first(), path).toBeVisible();
        await check(name);
      }
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

      await page.goto('/');
      await page.getByTestId('user-menu').click();
      await check('user-menu');
      await page.keyboard.press('Escape');
      await page.getByTestId('open-search').click();
      await page.keyboard.type('a');
      await expect(page.getByRole('option').or(page.locator('[data-action]')).first()).toBeVisible();
      await check('search');
      expect(wrong).toEqual([]);
    });
  });
}
