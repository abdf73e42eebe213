import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Session, expect, expectAccessible, picture, test } from '../farm.ts';

test.describe('a link on another site', () => {
  test('starts nothing before the user says so', async ({ portal, anna, administrator, page, demo }) => {
    await portal.signIn(anna);
    const address = await (await portal.find('Calculator')).getByRole('link').getAttribute('href');
    const target = new URL(address ?? '', demo.portal).href;
    const site = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end(`<a href="${target}">Win a prize</a>`));
    await new Promise<void>((done) => site.listen(0, '127.0.0.1', done));
    try {
      await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      const launches: string[] = [];
      page.on('request', (request) => request.method() === 'POST' && launches.push(request.url()));
      await page.getByRole('link').click();
      const card = page.getByTestId('offered');
      await expect(card).toContainText('Open Calculator?');
      await expect(page).toHaveTitle('Calculator');
      await expectAccessible(page);
      await picture(page, 'session-offered');
      // Neither does loading it anew.
      await page.reload();
      await expect(card).toContainText('Open Calculator?');
      expect(launches).toEqual([]);
      expect(await administrator.sessions(anna.user_name)).toEqual([]);

      await card.getByTestId('open').click();
      const calculator = await new Session(page).settled();
      // What the user has opened is opened again after a reload.
      await page.reload();
      await calculator.settled();
      expect(await administrator.sessions(anna.user_name)).toHaveLength(1);
    } finally {
      site.close();
    }
  });

  for (const look of ['narrow', 'dark'] as const) {
    test.describe(look, () => {
      test.use(look === 'narrow' ? { viewport: { width: 360, height: 640 } } : { colorScheme: 'dark' });
      test('is offered legibly', async ({ portal, anna, page }) => {
        await portal.signIn(anna);
        const address = await (await portal.find('Calculator')).getByRole('link').getAttribute('href');
        await page.goto(address ?? '');
        await expect(page.getByTestId('offered')).toContainText('Open Calculator?');
        await picture(page, `session-offered-${look}`);
        await expectAccessible(page);
      });
    });
  }
});

// The farm refuses what is asked without a sign-in, and browsers note that.
test.describe('without a sign-in', () => {
  test.use({ mayFail: true });

  test('a bookmark asks, signs in when needed, and then opens by itself', async ({ portal, anna, page, context }) => {
    await portal.signIn(anna);
    const address = await (await portal.find('Calculator')).getByRole('link').getAttribute('href');
    await context.clearCookies();
    await page.goto(address ?? '');
    await page.getByTestId('open').click();
    await expect(page.getByText('Your sign-in has ended.')).toBeVisible();
    await portal.fillSignIn(anna);
    await new Session(page).connected();
  });
});

test('nobody else’s link leads anywhere after the sign-in', async ({ portal, anna, page }) => {
  await page.goto('/?ended=1&next=%2Fsession%3Fresource%3D0');
  await portal.fillSignIn(anna);
  await expect(page.getByTestId('portal')).toBeVisible();
  expect(new URL(page.url()).search).toBe('');
});

test('a double click opens one tab', async ({ portal, anna, context, administrator }) => {
  await portal.signIn(anna);
  const tile = await portal.find('Calculator');
  const [page] = await Promise.all([context.waitForEvent('page'), tile.getByRole('link').dblclick()]);
  await new Session(page).settled();
  expect(context.pages()).toHaveLength(2);
  expect(await administrator.sessions(anna.user_name)).toHaveLength(1);
});

test('two tabs in the same instant find the same session', async ({ portal, anna, context, administrator }) => {
  await portal.signIn(anna);
  const address = (await (await portal.find('Calculator')).getByRole('link').getAttribute('href')) ?? '';
  await portal.page.evaluate((href) => {
    for (const _ of [1, 2]) window.open(href, '_blank', 'noopener');
  }, address);
  await expect.poll(() => context.pages().length, { message: 'tabs' }).toBe(3);
  const tabs = context.pages().slice(1).map((page) => new Session(page));
  const states = async () => (await Promise.all(tabs.map((tab) => tab.root.getAttribute('data-state')))).toSorted();
  await expect.poll(states, { message: 'one tab has the session, the other says that it lost it', timeout: 60_000 }).toEqual(['connected', 'ended']);
  expect(await administrator.sessions(anna.user_name)).toHaveLength(1);
});
