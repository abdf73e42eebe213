import type { Page } from '@playwright/test';
import { expect, test } from '../../admin.ts';
import { expectAccessible, looks, still } from '../../farm.ts';
import { tellOfSessions } from '../../sessions.ts';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, contextOptions: { reducedMotion: 'reduce' } });

const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** Whether all of it can be touched: nothing lies outside the window. */
async function expectWithin(page: Page, testId: string): Promise<void> {
  const box = await page.getByTestId(testId).boundingBox();
  expect(box && box.x >= 0 && box.x + box.width <= 390 && box.y >= 0 && box.y + box.height <= 844, `${testId}: ${JSON.stringify(box)}`).toBe(true);
}

test('several sessions get a message on a phone', async ({ page }) => {
  const asked = await tellOfSessions(page, [{ user_name: 'anna' }, { user_name: 'ben' }, { user_name: 'carla' }]);
  await page.goto('/sessions');
  for (const name of ['anna', 'ben']) await page.getByRole('checkbox', { name: `Choose ${name}` }).tap();
  await still(page);
  for (const action of ['message', 'disconnect', 'log-off', 'reset']) await expectWithin(page, `bulk-${action}`);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await expectAccessible(page);
  await looks(page, 'admin-sessions-chosen');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByTestId('bulk-message').tap();
  await page.getByRole('textbox', { name: 'Text' }).fill('The host is restarted at noon.');
  await page.getByTestId('confirm').tap();
  await expect(page.getByTestId('outcomes').getByText('done')).toHaveCount(2);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(asked.toSorted()).toEqual(['message anna', 'message ben']);
});

test('one session is reset from its page on a phone', async ({ page }) => {
  const asked = await tellOfSessions(page, [{ user_name: 'anna' }]);
  await page.goto('/sessions');
  await page.getByRole('link', { name: 'anna' }).tap();
  await expect(page.getByTestId('do-reset')).toBeVisible();
  await still(page);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await expectWithin(page, 'do-reset');
  await page.getByTestId('do-reset').tap();
  await page.getByTestId('confirm').tap();
  await expect(page.getByTestId('outcomes')).toContainText('done');
  expect(asked).toEqual(['reset anna']);
});
