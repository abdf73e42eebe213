import { expect, test } from '../../admin.ts';
import { Portal } from '../../farm.ts';

/** Active sessions in the newest row of the table. */
const ACTIVE = 3;

test('load and sessions are drawn, told as a table, and follow what happens', async ({ page, anna, browser, demo }) => {
  await page.goto('/');
  const load = page.getByTestId('load');
  await expect(load.getByRole('img', { name: /Processor and memory: Processor \d+ % now|Processor and memory: Processor \d+% now/ })).toBeVisible();
  await expect(load.locator('svg.recharts-surface').first()).toBeVisible();
  await page.getByTestId('load-table').click();
  const newest = load.getByTestId('load-row').first().getByRole('cell');
  await expect(newest.nth(ACTIVE)).toHaveText('0');
  await expect(newest.nth(1)).toHaveText(/^\d+%$/);

  const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
  const portal = new Portal(await context.newPage());
  await portal.signIn(anna);
  await (await portal.open('Calculator')).connected();
  await expect(newest.nth(ACTIVE)).toHaveText('1', { timeout: 30_000 });
  await context.close();
});

test('a host that takes no logons is missed on the dashboard, with the way to it', async ({ page, administrator }) => {
  const host = (await administrator.call<{ items: { id: string; name: string }[] }>('GET', 'hosts')).items[0];
  await page.goto('/');
  await expect(page.getByTestId('tiles')).toBeVisible();
  await administrator.call('POST', `hosts/${host?.id}/logon-mode`, { logon_mode: 'drain' });
  try {
    const trouble = page.getByTestId('troubles').getByRole('alert').filter({ hasText: 'takes no logons' });
    await expect(trouble).toContainText(host?.name ?? '');
    await trouble.getByRole('link').click();
    await expect(page.getByRole('tabpanel')).toContainText(host?.name ?? '');
  } finally {
    await administrator.call('POST', `hosts/${host?.id}/logon-mode`, { logon_mode: 'enabled' });
  }
});
