import type { Page } from '@playwright/test';
import { expect, test } from '../../admin.ts';
import { tellOfSessions } from '../../sessions.ts';

/** Goes on with Tab until this has the focus. */
async function tabTo(page: Page, isThere: () => Promise<boolean>): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    if (await isThere()) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not lead there.');
}

const focused = (page: Page, selector: string) => () => page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);

test('a host is drained and opened again without a mouse', async ({ page, administrator }) => {
  const host = (await administrator.call<{ items: { id: string; name: string }[] }>('GET', 'hosts')).items[0];
  const mode = async () => (await administrator.call<{ spec: { logon_mode?: string } }>('GET', `hosts/${host?.id}`)).spec.logon_mode;
  await page.goto('/hosts');
  await expect(page.getByTestId('row').first()).toBeVisible();
  try {
    for (const [action, then] of [['drain', 'drain'], ['enabled', 'enabled']] as const) {
      await tabTo(page, focused(page, 'tbody input[type=checkbox]'));
      await page.keyboard.press('Space');
      await tabTo(page, focused(page, `[data-testid=bulk-${action}]`));
      await page.keyboard.press('Enter');
      await tabTo(page, focused(page, '[data-testid=confirm]'));
      await page.keyboard.press('Enter');
      await expect(page.getByTestId('outcomes')).toContainText('done');
      expect(await mode()).toBe(then);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    }
  } finally {
    await administrator.call('POST', `hosts/${host?.id}/logon-mode`, { logon_mode: 'enabled' });
  }
});

test('rows are reached by arrows and by Home and End, and the focus is not lost where they go out of sight', async ({ page }) => {
  const ROWS = 150;
  await page.route('**/api/v1/groups?*', (route) => {
    const items = Array.from({ length: ROWS }, (_, index) => ({
      id: `01a1fcc6-e943-777e-91b2-${String(index).padStart(12, '0')}`, name: `group${index}`, site: null, revision: 1,
      changed_at: '2026-01-01T00:00:00Z', changed_by: 'test', spec: {},
    }));
    return route.fulfill({ json: { items, next: null, total: ROWS } });
  });
  await page.goto('/groups');
  await page.getByRole('link', { name: 'group0', exact: true }).focus();
  const link = (index: number) => page.getByRole('link', { name: `group${index}`, exact: true });
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(link(2)).toBeFocused();
  await page.keyboard.press('End');
  await expect(link(ROWS - 1)).toBeFocused();
  await expect(link(0)).toHaveCount(0);
  // Scrolled by other means until the row is gone: arrows go on from it.
  const list = page.getByTestId('list');
  await list.evaluate((element) => { element.scrollTop = 0; });
  await expect(link(ROWS - 1)).toHaveCount(0);
  await expect(list).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(link(ROWS - 2)).toBeFocused();
  await page.keyboard.press('Home');
  await expect(link(0)).toBeFocused();
});

test('a session is reset without a mouse', async ({ page }) => {
  const asked = await tellOfSessions(page, [{ user_name: 'anna' }]);
  await page.goto('/sessions');
  await expect(page.getByTestId('row')).toHaveCount(1);
  await tabTo(page, focused(page, 'tbody input[type=checkbox]'));
  await page.keyboard.press('Space');
  await tabTo(page, focused(page, '[data-testid=bulk-reset]'));
  await page.keyboard.press('Enter');
  await tabTo(page, focused(page, '[data-testid=confirm]'));
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('outcomes')).toContainText('done');
  expect(asked).toEqual(['reset anna']);
});
