import type { Page } from '@playwright/test';
import { expect, test } from '../../admin.ts';
import { expectAccessible, picture } from '../../farm.ts';

const EVERYTHING = ['view', 'modify', 'add', 'delete', 'control'];

/** Has the broker say who is signed in, and what they may do. */
async function signedInAs(page: Page, areas: Record<string, string[]>, role: string): Promise<void> {
  const user = { id: '01a1fcc6-e943-777e-91b2-ba848c5651af', name: 'helen', full_name: 'Helen Desk' };
  const me = { name: 'user helen', root: false, roles: [{ role, reach: {} }], areas, user, session: null };
  await page.route('**/api/v1/sign-in', (route) => route.fulfill({ json: { me } }));
}

test.describe('nobody is signed in', () => {
  test.use({ mayFail: true });

  test('name, password and code open the page that was asked for', async ({ page }) => {
    let isSignedIn = false;
    const me = { name: 'user rita', root: true, roles: [{ role: 'root', reach: {} }], areas: { hosts: EVERYTHING }, session: null, user: null };
    const asked: unknown[] = [];
    await page.route('**/api/v1/sign-in', (route) => {
      if (route.request().method() === 'GET') return route.fulfill({ json: { me: isSignedIn ? me : null } });
      expect(route.request().headers()['x-oriel-request']).toBe('portal');
      const body = route.request().postDataJSON() as { password: string; code?: string };
      asked.push(body);
      if (body.password !== 'right') return route.fulfill({ status: 401, json: { code: 'sign_in_refused', status: 401, detail: '' } });
      if (body.code === undefined) return route.fulfill({ status: 401, json: { code: 'code_needed', status: 401, detail: '' } });
      isSignedIn = true;
      return route.fulfill({ json: me });
    });
    await page.goto('/hosts');
    await expect(page.getByTestId('sign-in')).toBeVisible();
    await expectAccessible(page);
    await picture(page, 'admin-sign-in');
    await page.locator('input[name=username]').fill('rita');
    await page.locator('input[name=password]').fill('wrong');
    await page.locator('button[type=submit]').click();
    await expect(page.getByTestId('sign-in-problem')).toContainText('wrong');
    await page.locator('input[name=password]').fill('right');
    await page.locator('button[type=submit]').click();
    await expect(page.getByText('Code', { exact: true })).toBeVisible();
    await expectAccessible(page);
    await picture(page, 'admin-sign-in-code');
    await page.keyboard.type('123456');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hosts');
    expect(asked.at(-1)).toEqual({ name: 'rita', password: 'right', code: '123456' });
  });
});

test('who may only help users sees sessions and nothing else', async ({ page }) => {
  await signedInAs(page, { sessions: ['view', 'control'] }, 'help_desk');
  await page.goto('/');
  await expect(page.getByTestId('tiles').getByRole('link')).toHaveCount(1);
  const pages = page.getByRole('navigation', { name: 'Pages' });
  await expect(pages.getByRole('link')).toHaveText(['Dashboard', 'Sessions']);
  await page.goto('/hosts');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing here');
  await page.goto('/account');
  await expect(page.getByText('Help desk')).toBeVisible();
});

test('who may not change sees no way to', async ({ page }) => {
  await signedInAs(page, { hosts: ['view'], audit: ['view'] }, 'viewer');
  await page.goto('/hosts');
  await expect(page.getByTestId('row').first()).toBeVisible();
  await expect(page.getByRole('checkbox')).toHaveCount(0);
  await expect(page.getByTestId('add')).toHaveCount(0);
  await page.getByTestId('row').getByRole('link').first().click();
  await expect(page.getByRole('tab', { name: 'History' })).toBeVisible();
  await expect(page.getByTestId('edit')).toHaveCount(0);
  await expect(page.getByTestId('delete')).toHaveCount(0);
});

test('ten thousand rows are drawn where they are looked at, and fetched as they come near', async ({ page }) => {
  const ROWS = 10_000;
  let asked = 0;
  await page.route('**/api/v1/users?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get('after') ?? 0);
    const limit = Number(query.get('limit'));
    asked += 1;
    const items = Array.from({ length: Math.min(limit, ROWS - from) }, (_, index) => ({
      id: `01a1fcc6-e943-777e-91b2-${String(from + index).padStart(12, '0')}`, name: `user${from + index}`, site: null, revision: 1,
      changed_at: '2026-01-01T00:00:00Z', changed_by: 'test', has_password: true, spec: { enabled: true, full_name: '', groups: [] },
    }));
    const total = query.get('count') === 'true' ? ROWS : undefined;
    return route.fulfill({ json: { items, next: from + limit < ROWS ? String(from + limit) : null, total } });
  });
  await page.goto('/users');
  await expect(page.getByText('user0', { exact: true })).toBeVisible();
  await expect(page.getByText('10,000 entries')).toBeVisible();
  expect(asked).toBeLessThan(4);
  const list = page.getByTestId('list');
  for (let row = 0; row < 1_000; row += 100) {
    await list.evaluate((element) => { element.scrollTop = element.scrollHeight; });
    await expect.poll(() => page.getByTestId('row').count()).toBeGreaterThan(5);
  }
  await expect.poll(() => asked).toBeGreaterThan(5);
  expect(await page.getByTestId('row').count()).toBeLessThan(60);
});

test('what is searched, filtered and sorted stands in the address, and the broker is asked for it', async ({ page, demo }) => {
  await page.goto('/users');
  // The users, and the administrator.
  await expect(page.getByTestId('row')).toHaveCount(demo.accounts.length + 1);
  await page.getByTestId('list-search').fill('ann');
  await expect(page.getByTestId('row')).toHaveCount(1);
  await expect(page).toHaveURL(/q=ann/);
  await page.goto('/users?sort=-name');
  await expect(page.getByRole('columnheader', { name: 'Name', exact: true })).toHaveAttribute('aria-sort', 'descending');
  await expect(page.getByTestId('row').first()).toContainText('ben');
});

test.describe('the connection to the broker', () => {
  test.use({ mayFail: true });

  test('is missed, and the page says so', async ({ page }) => {
    await page.route('**/api/v1/events?*', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByTestId('stale')).toContainText('out of date');
    await page.unroute('**/api/v1/events?*');
    await expect(page.getByTestId('stale')).toHaveCount(0);
  });
});

test('everything is there in German, and by keys', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('tiles')).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the page’s content' })).toBeFocused();
  await page.getByTestId('user-menu').click();
  await page.getByRole('menuitemradio', { name: 'Deutsch' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Übersicht');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox').or(page.getByRole('searchbox')).or(page.locator('input[type=search], .mantine-Spotlight-search')).last()).toBeFocused();
  await page.keyboard.type('Kalender');
  await expect(page.locator('[data-action]').first()).toContainText('Kalender');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Kalender');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('a dialog gives the focus back to what opened it', async ({ page, make }) => {
  const { id } = await make('pools', { name: 'Nobody deletes this', spec: {} });
  await page.goto(`/pools/${id}`);
  const opener = page.getByTestId('delete');
  await opener.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(opener).toBeFocused();
});
