import type { Page } from '@playwright/test';
import { expect, test } from '../../admin.ts';
import { expectAccessible, looks } from '../../farm.ts';
import { tellOfSessions } from '../../sessions.ts';

const found = (page: Page, words: string | RegExp) => page.locator('[data-action]').filter({ hasText: words });

async function search(page: Page, words: string): Promise<void> {
  // The same keys close it: one that is on its way out would not come back.
  const dialog = page.getByRole('dialog', { name: 'Search' });
  await expect(dialog).toHaveCount(0);
  await expect(page.getByTestId('open-search')).toBeVisible();
  await page.keyboard.press('Control+k');
  await expect(dialog).toBeVisible();
  await page.keyboard.type(words);
}

test('settings are found by what they are called, and stand in sight', async ({ page }) => {
  await page.goto('/groups');
  await expect(page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Farm settings' })).toBeVisible();
  await search(page, 'load balancing');
  await expect(found(page, /^Load balancing.*Pools/)).toBeVisible();
  await page.keyboard.press('Escape');
  await search(page, 'syslog');
  await found(page, 'Farm').first().click();
  await expect(page).toHaveURL(/\/farms\/[^/#]+#audit$/);
  await expect(page.locator('#audit')).toBeInViewport();
});

test('a host is drained, and a session reset, from the search', async ({ page, administrator }) => {
  const host = (await administrator.call<{ items: { id: string; name: string }[] }>('GET', 'hosts')).items[0];
  const asked = await tellOfSessions(page, [{ user_name: 'anna' }]);
  await page.goto('/groups');
  await search(page, 'anna');
  await found(page, 'Reset: anna').click();
  await page.getByTestId('confirm').click();
  await expect(page.getByTestId('outcomes')).toContainText('done');
  expect(asked).toEqual(['reset anna']);
  await page.getByRole('button', { name: 'Close' }).last().click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await search(page, `drain ${host?.name}`);
  try {
    await expect(found(page, /^Drain: /).first()).toBeVisible();
    await expectAccessible(page);
    await looks(page, 'admin-search-action');
    await found(page, `Drain: ${host?.name}`).click();
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('outcomes')).toContainText('done');
    expect(await administrator.call<object>('GET', `hosts/${host?.id}`)).toMatchObject({ spec: { logon_mode: 'drain' } });
  } finally {
    await administrator.call('POST', `hosts/${host?.id}/logon-mode`, { logon_mode: 'enabled' });
  }
});

test('what has no object is done from the search, too, and people are found by their full names', async ({ page, make }) => {
  const user = await make('users', { name: 'qx7', spec: { full_name: 'Quentin Xaver' } });
  await page.goto('/groups');
  await search(page, 'is whole');
  await found(page, 'Check whether the log is whole').click();
  await expect(page.getByTestId('verification')).toContainText('as they were written');
  await search(page, 'take back');
  await found(page, 'Take back').first().click();
  await expect(page.getByLabel('Since when')).toBeVisible();
  await page.keyboard.press('Escape');
  await search(page, 'quentin');
  await found(page, 'qx7').click();
  await expect(page).toHaveURL(new RegExp(`/users/${user.id}$`));
  await search(page, 'dark');
  await found(page, 'Dark').click();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await search(page, 'sign out');
  await found(page, 'Sign out').click();
  await expect(page.getByTestId('sign-in')).toBeVisible();
});
