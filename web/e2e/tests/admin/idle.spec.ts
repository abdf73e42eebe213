import { expectAccessible, picture } from '../../farm.ts';
import { expect, test } from '../../admin.ts';

interface SignIns {
  items: { id: string; own: boolean }[];
}

/** The farm's own setting: sixty minutes. */
const ALMOST_IDLE = 59.5 * 60_000;

test('who has done nothing for a while is asked, and stays', async ({ page }) => {
  await page.clock.install();
  await page.goto('/hosts');
  await expect(page.getByTestId('row').first()).toBeVisible();
  await page.clock.fastForward(30 * 60_000);
  const asked = page.getByRole('dialog', { name: 'Are you still there?' });
  await expect(asked).toHaveCount(0);
  await page.clock.fastForward(29.5 * 60_000);
  await expect(asked).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'admin-idle');
  const stays = page.waitForResponse((answer) => answer.url().endsWith('/me/stay') && answer.request().method() === 'POST');
  await asked.getByRole('button', { name: 'Stay signed in' }).click();
  const me = (await (await stays).json()) as { session: { idle_left_secs: number } };
  expect(me.session.idle_left_secs).toBeGreaterThan(59 * 60);
  await expect(asked).toHaveCount(0);
  // An hour ahead of the broker's clock by now: what counts is how much time is left.
  await page.clock.fastForward(30 * 60_000);
  await expect(page.getByTestId('row').first()).toBeVisible();
  await expect(asked).toHaveCount(0);
});

test.describe('the end of a sign-in', () => {
  // What is loaded then is refused.
  test.use({ mayFail: true });

  test('shows the sign-in, and afterwards the page that was open', async ({ page, administrator, demo }) => {
    const before = new Set((await administrator.call<SignIns>('GET', 'administrator-sessions')).items.map(({ id }) => id));
    await page.clock.install();
    await page.goto('/hosts');
    await expect(page.getByTestId('row').first()).toBeVisible();
    await page.clock.fastForward(ALMOST_IDLE);
    await expect(page.getByRole('dialog', { name: 'Are you still there?' })).toBeVisible();
    // The broker's clock cannot be moved from here: it is told to forget instead.
    for (const id of before) await administrator.call('DELETE', `administrator-sessions/${id}`);
    await page.clock.fastForward(32_000);
    await expect(page.getByTestId('sign-in')).toBeVisible();
    await page.locator('input[name=username]').fill(demo.administrator?.user_name ?? '');
    await page.locator('input[name=password]').fill(demo.administrator?.password ?? '');
    await page.locator('button[type=submit]').click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hosts');
  });
});
