import { expect, expectAccessible, picture, test } from '../farm.ts';

const LOOKS = {
  wide: { viewport: { width: 1280, height: 800 } },
  narrow: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  small: { viewport: { width: 360, height: 640 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
} as const;

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    // Movement would be caught half way.
    test.use({ ...options, contextOptions: { reducedMotion: 'reduce' } });

    test('every page is accessible', async ({ portal, anna }) => {
      const { page } = portal;
      const check = async (name: string) => {
        // The first paint after a change is not the last: fades take 120 ms.
        await page.waitForTimeout(300);
        await picture(page, `${name}-${look}`);
        await expectAccessible(page);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(over, `${name} is wider than the window`).toBeLessThanOrEqual(0);
      };

      await page.goto('/');
      await expect(page.getByTestId('sign-in')).toBeVisible();
      await check('sign-in');
      await portal.signIn(anna);
      await expect(page.getByTestId('all')).toBeVisible();
      await check('programs');
      await page.getByTestId('search').fill('calc');
      await expect(page.getByTestId('resource')).toBeVisible();
      await check('search');
      await page.getByTestId('search').fill('no such program');
      await check('search-nothing');
      await page.getByTestId('search').fill('');
      await page.locator('[data-testid=folder]').first().getByRole('link').click();
      await check('folder');
      await page.getByTestId('tab-sessions').click();
      await check('running-nothing');
      await page.getByTestId('user-menu').click();
      await check('menu');
      await page.getByTestId('open-settings').click();
      await expect(page.getByTestId('settings')).toBeVisible();
      await check('settings');
    });

    test('the session’s page is accessible', async ({ portal, anna }) => {
      await portal.signIn(anna);
      const session = await portal.open('Calculator');
      await session.settled();
      await session.page.getByTestId('toolbar-handle').click();
      await picture(session.page, `session-${look}`);
      await expectAccessible(session.page);
      await session.page.getByTestId('keys-menu').click();
      await picture(session.page, `session-keys-${look}`);
      await session.page.keyboard.press('Escape');
      await session.page.getByTestId('disconnect').click();
      await expect(session.root).toHaveAttribute('data-state', 'ended');
      await picture(session.page, `session-left-${look}`);
      await expectAccessible(session.page);
    });
  });
}
