import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { Portal, expect, expectAccessible, looks, test as base } from '../../farm.ts';
import { OwnFarm } from '../../own-farm.ts';
import { programOf } from '../../services.ts';

const test = base.extend<{ own: OwnFarm }>({
  own: async ({ demo }, use) => {
    const own = await OwnFarm.start(programOf(demo));
    try {
      await use(own);
    } finally {
      await own.remove();
    }
  },
});

// A broker, a gateway and a host are started one after the other, and the host makes an account.
test.describe.configure({ timeout: 300_000 });
// A wrong token is refused on purpose.
test.use({ mayFail: true, contextOptions: { reducedMotion: 'reduce' } });

test('a new farm: the root account, a gateway, a host, programs, a group, and somebody opens one', async ({ page, own, context }) => {
  const password = `first ${randomBytes(6).toString('hex')}`;
  // Accounts of this machine are shared by all farms on it.
  const user = { user_name: `nina${randomBytes(2).toString('hex')}`, password: `second ${randomBytes(6).toString('hex')}` };

  await page.goto(own.management);
  await expect(page.getByTestId('first-start')).toBeVisible();
  await look(page, 'root');
  await page.locator('input[name=token]').fill('not the token');
  await page.locator('input[name=name]').fill('root');
  await page.locator('input[name=full_name]').fill('Rita Root');
  await page.locator('input[name=password]').fill(password);
  await page.locator('input[name=again]').fill('another');
  await page.getByTestId('make-root').click();
  await expect(page.getByText('The two passwords differ.')).toBeVisible();
  await page.locator('input[name=again]').fill(password);
  await page.getByTestId('make-root').click();
  await expect(page.getByText('This is not the farm’s first token.')).toBeVisible();
  await page.locator('input[name=token]').fill(own.token);
  await page.getByTestId('make-root').click();

  const start = page.getByTestId('start');
  const step = (name: string) => expect(start, `the step ${name}`).toHaveAttribute('data-step', name, { timeout: 60_000 });
  await step('gateway');
  await page.getByTestId('invite-gateway').click();
  await look(page, 'gateway');
  const address = await own.joinGateway((await page.getByTestId('command').textContent()) ?? '');

  await step('host');
  // What is done stays done, wherever it goes on.
  await page.goto(own.management);
  await expect(page.getByTestId('start-card')).toContainText('1 of 5');
  await look(page, 'dashboard');
  await page.getByTestId('go-on').click();
  await page.getByTestId('invite-agent').click();
  await own.joinHost((await page.getByTestId('command').textContent()) ?? '');

  await step('programs');
  await page.getByLabel('Search the programs').fill('galculator');
  await page.getByTestId('programs').getByRole('checkbox').first().click();
  await look(page, 'programs');
  await page.getByTestId('publish-now').click();

  await step('people');
  await page.locator('input[name=group]').fill('Newcomers');
  await page.locator('input[name=name]').fill(user.user_name);
  await page.locator('input[name=password]').fill('short');
  await page.getByTestId('give').click();
  // The group is made by now; the second try goes on with it.
  await expect(page.locator('input[name=password]')).toHaveAccessibleDescription(/8/);
  await look(page, 'people');
  await page.locator('input[name=password]').fill(user.password);
  await page.getByTestId('give').click();

  await step('open');
  await page.getByTestId('public-address').fill(address);
  await page.getByRole('button', { name: 'Set the address' }).click();
  await look(page, 'open');
  const [tab] = await Promise.all([context.waitForEvent('page'), page.getByTestId('portal-link').click()]);
  const portal = new Portal(tab);
  await portal.fillSignIn({ ...user, groups: [], os_account: user.user_name });
  const tile = tab.locator('[data-testid=resource]');
  await expect(tile).toHaveCount(1);
  const session = await portal.open((await tile.getAttribute('data-resource')) ?? '');
  await session.settled();

  await step('done');
  await expect(page.getByTestId('start-done')).toBeVisible();
  await look(page, 'done');
  await page.getByRole('main').getByRole('link', { name: 'Dashboard' }).click();
  await expect(page.getByTestId('tiles')).toBeVisible();
  await expect(page.getByTestId('start-card')).toHaveCount(0);
  await page.goto(`${own.management}/sessions`);
  await expect(page.getByTestId('row').filter({ hasText: user.user_name })).toContainText('active');
  await session.page.close();
});

test('the first steps are put away for good by who does not need them', async ({ page, own }) => {
  const password = `first ${randomBytes(6).toString('hex')}`;
  await page.goto(`${own.management}/hosts`);
  for (const [name, value] of Object.entries({ token: own.token, name: 'root', password, again: password })) await page.locator(`input[name=${name}]`).fill(value);
  await page.getByTestId('make-root').click();
  await page.getByTestId('dismiss').click();
  await expect(page.getByTestId('tiles')).toBeVisible();
  await expect(page.getByTestId('start-card')).toHaveCount(0);
  await page.reload();
  await expect(page.getByTestId('troubles')).toContainText('There is no host yet');
  await expect(page.getByTestId('start-card')).toHaveCount(0);

  // There is a root now: the next one signs in.
  await page.getByTestId('user-menu').click();
  await page.getByTestId('sign-out').click();
  await expect(page.getByTestId('sign-in')).toBeVisible();
  await page.reload();
  await expect(page.getByTestId('sign-in')).toBeVisible();
});

/** Holds a step against WCAG, and keeps what it looks like. */
async function look(page: Page, name: string): Promise<void> {
  await expectAccessible(page);
  await looks(page, `admin-start-${name}`);
}
