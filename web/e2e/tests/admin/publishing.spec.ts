import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../../admin.ts';
import { expectAccessible, picture } from '../../farm.ts';

interface Resource {
  id: string;
  name: string;
  revision: number;
  spec: { folder: string | null; order: number };
}

const WEB = { kind: 'web_application', url: 'https://example.org' };
const FOLDER = { kind: 'folder' };

const row = (page: Page, name: string): Locator => page.getByTestId('tree').locator('.node').filter({ has: page.getByText(name, { exact: true }) });

/** Where the text of a row begins. */
const textOf = async (page: Page, name: string): Promise<number> => (await row(page, name).getByText(name, { exact: true }).boundingBox())?.x ?? 0;

test('what lies in a folder stands in from it by a whole column', async ({ page, make }) => {
  const outer = await make('resources', { name: 'Tree outer', spec: { target: FOLDER, status: { state: 'maintenance', message: 'Back at noon.' } } });
  const inner = await make('resources', { name: 'Tree inner', spec: { target: FOLDER, folder: outer.id } });
  await make('resources', { name: 'Tree leaf', spec: { target: WEB, folder: inner.id } });
  await page.goto('/publishing');
  await expect(row(page, 'Tree leaf')).toBeVisible();
  const [first, second, third] = [await textOf(page, 'Tree outer'), await textOf(page, 'Tree inner'), await textOf(page, 'Tree leaf')];
  // The sign that opens a folder, and the gap behind it.
  expect(second - first).toBeCloseTo(30, 0);
  expect(third - second).toBeCloseTo(30, 0);

  // The folder's own status, and what it means for what lies in it.
  await expect(row(page, 'Tree outer').getByTestId('inherited-status')).toHaveCount(0);
  await expect(row(page, 'Tree outer')).toContainText('maintenance');
  await expect(row(page, 'Tree leaf').getByTestId('inherited-status')).toContainText('maintenance');
  await row(page, 'Tree leaf').click();
  await expect(page.getByTestId('detail').getByRole('link', { name: 'Tree outer' })).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'admin-publishing-tree');
});

test('several are moved at once, and taken back at once', async ({ page, administrator, make }) => {
  const folder = await make('resources', { name: 'Move here', spec: { target: FOLDER, order: -3 } });
  const one = await make('resources', { name: 'Move one', spec: { target: WEB, order: -2 } });
  const two = await make('resources', { name: 'Move two', spec: { target: WEB, order: -1 } });
  const places = async () => {
    const shown = [await administrator.call<Resource>('GET', `resources/${one.id}`), await administrator.call<Resource>('GET', `resources/${two.id}`)];
    return shown.map(({ spec }) => spec.folder ?? null);
  };
  await page.goto('/publishing');
  await row(page, 'Move two').click();
  await row(page, 'Move one').click({ modifiers: ['ControlOrMeta'] });
  await row(page, 'Move one').getByRole('button').click();
  await page.getByRole('menuitem', { name: 'Move into a folder' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Move 2 into a folder');
  await dialog.getByRole('combobox').fill('Move here');
  await page.getByRole('option', { name: 'Move here' }).click();
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(page.getByText('Moved', { exact: true })).toBeVisible();
  expect(await places()).toEqual([folder.id, folder.id]);
  const { items } = await administrator.call<{ items: { transaction: number; id: string }[] }>('GET', 'changes?kind=resource&limit=2');
  expect(new Set(items.map(({ transaction }) => transaction)).size).toBe(1);
  expect(items.map(({ id }) => id).toSorted()).toEqual([one.id, two.id].toSorted());

  await page.getByTestId('note-action').click();
  await expect(page.getByText('Taken back')).toBeVisible();
  expect(await places()).toEqual([null, null]);

  // By hand: the one that is dragged takes the other along.
  await row(page, 'Move one').click();
  await row(page, 'Move two').click({ modifiers: ['ControlOrMeta'] });
  // On the lower half of an open folder: the upper one is the place before it.
  await row(page, 'Move two').dragTo(row(page, 'Move here'), { targetPosition: { x: 80, y: 30 } });
  await expect.poll(places).toEqual([folder.id, folder.id]);
});

test.describe('what is in use', () => {
  // The rehearsal of a deletion that cannot be is refused.
  test.use({ mayFail: true });

  test('who uses an object is told with the way there, also where it is to be deleted', async ({ page, make }) => {
    const group = await make('groups', { name: 'Used group', spec: {} });
    const user = await make('users', { name: 'used-by-me', spec: { groups: [group.id] } });
    const rules = { otherwise: 'deny', rules: [{ effect: 'allow', criteria: [{ type: 'group', objects: [group.id], negated: false }] }] };
    await make('resources', { name: 'Used by a rule', spec: { target: { kind: 'folder' }, rules } });
    await page.goto(`/groups/${group.id}?tab=no-such-tab`);
    await expect(page.getByRole('tab', { name: 'Settings' })).toHaveAttribute('aria-selected', 'true');
    await page.getByRole('tab', { name: 'Used by' }).click();
    const usedBy = page.getByTestId('used-by');
    await expect(usedBy).toContainText('User used-by-me');
    await expect(usedBy).toContainText('Groups');
    await expect(usedBy).toContainText('Who sees it › Rules › Conditions › One of');
    await expectAccessible(page);
    await picture(page, 'admin-used-by');
    await page.getByTestId('delete').click();
    await expect(page.getByTestId('in-use').getByRole('link', { name: 'used-by-me' })).toBeVisible();
    await expect(page.getByTestId('delete-now')).toBeDisabled();
    await page.getByTestId('in-use').getByRole('link', { name: 'used-by-me' }).click();
    await expect(page).toHaveURL(new RegExp(`/users/${user.id}$`));
  });
});

test('the search of sessions asks for user, host and resource at once', async ({ page }) => {
  await page.goto('/sessions');
  const asked = page.waitForRequest((request) => request.url().includes('user_name'));
  await page.getByTestId('list-search').fill('calc|"a"');
  const query = new URL((await asked).url()).searchParams;
  expect(query.get('filter')).toBe('user_name~:"calc|a"|host_name~:"calc|a"|resource_name~:"calc|a"');
  expect(query.get('count')).toBe('true');
  await expect(page.getByText('Nothing fits')).toBeVisible();
});

test.describe('the calendar', () => {
  test.use({ timezoneId: 'Europe/Berlin' });

  test('shows every run of a month, also where clocks change', async ({ page, make, administrator }) => {
    const { items } = await administrator.call<{ items: { id: string }[] }>('GET', 'pools');
    const year = new Date().getFullYear() + 1;
    await make('schedules', {
      name: 'Nightly start', spec: {
        action: { do: 'start' }, target: { of: 'pools', pools: [items[0]?.id] }, starts_at: `${year}-03-01T02:30:00`, time_zone: 'Europe/Berlin', repeat: 'FREQ=DAILY;COUNT=31',
      },
    });
    await page.goto('/calendar');
    const month = page.getByRole('heading', { level: 2, name: `March ${year}` });
    for (let clicks = 0; clicks < 24 && !(await month.isVisible()); clicks++) await page.getByRole('button', { name: 'Next month' }).click();
    await expect(month).toBeVisible();
    await expect(page.getByText('31 runs', { exact: true })).toBeVisible();
    const times = page.getByTestId('times').getByRole('listitem');
    await expect(times).toHaveCount(31);
    // In the night in which clocks go from two to three.
    const sunday = Array.from({ length: 7 }, (_, back) => 31 - back).find((day) => new Date(Date.UTC(year, 2, day)).getUTCDay() === 0) ?? 0;
    await expect(times.nth(sunday - 2)).toContainText('02:30');
    await expect(times.nth(sunday - 1)).toContainText('03:30');
    await expect(times.nth(sunday)).toContainText('02:30');
    await expectAccessible(page);
    await picture(page, 'admin-calendar-month');
    await page.getByRole('button', { name: new RegExp(`March ${sunday}, ${year}: one run`) }).click();
    await expect(times).toHaveCount(1);
  });
});
