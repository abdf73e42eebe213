import { expectAccessible, inColour, picture, still } from '../../farm.ts';
import { expect, test as base } from '../../admin.ts';
import { PAGES } from '../../pages.ts';

/** Each page is held against the rules in one colour, and looked at in both. */
const LOOKS = {
  wide: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  narrow: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
} as const;

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
    await make('directories', { name: `Corp ${look}`, spec: { enabled: false, kind: 'openldap', domain: `${look}.example`, base_dn: 'dc=example', servers: [{ host: 'ldap.example' }], bind_name: 'cn=oriel,dc=example' } });
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
      // As the broker tells them, and every tab that a page has: no kind and no tab can be forgotten.
      const { items: kinds } = await administrator.call<{ items: { kind: string; plural: string }[] }>('GET', 'kinds');
      expect(kinds.length).toBeGreaterThan(10);
      for (const { plural } of kinds) {
        const { items } = await administrator.call<{ items: { id: string }[] }>('GET', `${plural}?limit=1`);
        expect(items, plural).toHaveLength(1);
        await page.goto(`/${plural}/${items[0]?.id}`);
        await expect(page.getByRole('tabpanel')).toBeVisible();
        const tabs = page.getByRole('tab');
        for (let index = 0; index < (await tabs.count()); index++) {
          const tab = tabs.nth(index);
          await tab.click();
          await expect(tab).toHaveAttribute('aria-selected', 'true');
          await expect(page.getByRole('tabpanel')).not.toBeEmpty();
          await check(`${plural}-${(await tab.textContent())?.toLowerCase().replaceAll(' ', '-')}`);
        }
        if ((await page.getByTestId('edit').count()) === 0) continue;
        await page.getByTestId('edit').click();
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
      await page.goto('/groups');
      await page.getByRole('checkbox', { name: /^Choose / }).last().click();
      await check('chosen');
      await page.getByTestId('bulk-delete').click();
      await expect(page.getByTestId('confirm')).toBeVisible();
      await check('bulk');
    });
  });
}
