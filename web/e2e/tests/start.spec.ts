import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import type { Account } from '../demo.ts';
import { Portal, Session, expect, expectAccessible, pictures } from '../farm.ts';
import { test } from '../made.ts';
import config from '../playwright.config.ts';

// People's browsers hold back tabs that nobody asked for. Browsers under test would let them all through.
test.use({ launchOptions: { ...config.use?.launchOptions, ignoreDefaultArgs: ['--disable-popup-blocking'] } });

const startAtSignIn = (spec: object) => ({ ...spec, start_at_sign_in: true });

/** Signs in, and waits for the tab that this opens without a look at the page: that would count as a click. */
async function signInAndOpen(portal: Portal, account: Account): Promise<Page> {
  await portal.page.goto('/');
  const [tab] = await Promise.all([portal.page.context().waitForEvent('page'), portal.fillSignIn(account)]);
  return tab;
}

test('what starts at sign-in opens by itself, once', async ({ portal, anna, made, context, administrator }) => {
  await made.change('resources', 'Calculator', startAtSignIn);
  const tab = await signInAndOpen(portal, anna);
  const calculator = await new Session(tab).settled();
  await expect(tab).toHaveTitle('Calculator');
  await expect(portal.page.getByTestId('start-at-sign-in')).toHaveCount(0);

  // Neither a reload nor another tab of the portal is a sign-in.
  await portal.page.bringToFront();
  await portal.page.reload();
  await expect(await portal.find('Calculator')).toBeVisible();
  const another = await context.newPage();
  await another.goto('/');
  await expect(another.getByTestId('all')).toBeVisible();
  for (const page of [portal.page, another]) await expect(page.getByTestId('start-at-sign-in')).toHaveCount(0);
  expect(context.pages()).toEqual([portal.page, tab, another]);
  await tab.bringToFront();
  await tab.reload();
  await calculator.settled();
  expect(await administrator.sessions(anna.user_name)).toHaveLength(1);
});

test('what the browser holds back waits for a click, and another site always does', async ({ portal, anna, made, context }) => {
  const referrers: (string | undefined)[] = [];
  const site = createServer((request, answer) => {
    if (request.url === '/notices') referrers.push(request.headers.referer);
    answer.writeHead(200, { 'content-type': 'text/html' }).end('<title>Notices</title>');
  });
  await new Promise<void>((done) => site.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/notices`;
  try {
    for (const name of ['Text Editor', 'Calculator']) await made.change('resources', name, startAtSignIn);
    await made.create('resources', 'Notices', startAtSignIn({ target: { kind: 'web_application', url } }));
    const first = await signInAndOpen(portal, anna);
    await new Session(first).connected();
    await portal.page.bringToFront();
    const card = portal.page.getByTestId('start-at-sign-in');
    await expect(card).toContainText('Your organisation opens these when you sign in');
    // A click on “Sign in” is good for one tab.
    await expect(card.getByRole('listitem')).toHaveCount(2);
    await expect(card).toContainText('Notices');
    expect(context.pages()).toEqual([portal.page, first]);
    await pictures(portal.page, 'start-at-sign-in');
    await expectAccessible(portal.page);

    const [notices] = await Promise.all([context.waitForEvent('page'), card.getByRole('link', { name: 'Open Notices now' }).click()]);
    await expect(notices).toHaveTitle('Notices');
    expect(referrers).toEqual([undefined]);
    await portal.page.bringToFront();
    const [second] = await Promise.all([context.waitForEvent('page'), card.getByRole('link').click()]);
    await new Session(second).connected();
    await expect(card).toHaveCount(0);
    const titles = await Promise.all([first, second].map((page) => page.title()));
    expect(titles.toSorted()).toEqual(['Calculator', 'Text Editor']);
  } finally {
    site.close();
  }
});
