import { expect, test } from '../../admin.ts';
import { SecondGateway } from '../../gateway.ts';
import { programOf } from '../../services.ts';
import { tellOfSessions } from '../../sessions.ts';

test.describe('a gateway', () => {
  test.describe.configure({ timeout: 180_000 });

  test('that dies is told on pages that are open, with the way to it', async ({ page, administrator, demo, context }) => {
    const gateway = await SecondGateway.join(programOf(demo), administrator, 'short-lived');
    try {
      const list = await context.newPage();
      await list.goto('/gateways');
      const row = list.getByTestId('row').filter({ hasText: 'short-lived' });
      await expect(row).toBeVisible();
      await expect(row).not.toContainText('not connected');
      await page.goto('/');
      await expect(page.getByTestId('tiles')).toBeVisible();
      const trouble = page.getByRole('alert').filter({ hasText: 'short-lived' });
      await expect(trouble).toHaveCount(0);
      await gateway.kill();
      await expect(trouble).toBeVisible({ timeout: 60_000 });
      await expect(row).toContainText('not connected');
      await trouble.getByRole('link').click();
      await expect(page.getByRole('heading', { level: 1 })).toContainText('short-lived');
      await list.close();
      await page.goto('about:blank');
    } finally {
      await gateway.remove();
      const { revision } = await administrator.call<{ revision: number }>('GET', `gateways/${gateway.id}`);
      await administrator.call('DELETE', `gateways/${gateway.id}?revision=${revision}`);
    }
  });
});

test('idle time counts on while nothing else happens', async ({ page }) => {
  await page.clock.install();
  await tellOfSessions(page, [{ user_name: 'gone-for-coffee', idle_secs: 600 }, { user_name: 'writes', idle_secs: 20 }]);
  await page.goto('/sessions');
  const row = page.getByTestId('row').filter({ hasText: 'gone-for-coffee' });
  await expect(row).toContainText('10 min');
  await page.clock.fastForward('05:00');
  await expect(row).toContainText('15 min');
  // An event would have come if nobody sat there by now.
  await expect(page.getByTestId('row').filter({ hasText: 'writes' })).toContainText('under 5 min');
});

test('when a host has last reported does not age while it is well', async ({ page, administrator }) => {
  const host = (await administrator.call<{ items: { id: string }[] }>('GET', 'hosts')).items[0];
  await page.goto(`/hosts/${host?.id}?tab=state`);
  const reported = page.getByText('Last report').locator('..').locator('time');
  await expect(reported).toBeVisible();
  const first = await reported.getAttribute('datetime');
  await expect.poll(() => reported.getAttribute('datetime'), { timeout: 40_000 }).not.toBe(first);
});
