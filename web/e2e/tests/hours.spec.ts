import { randomUUID } from 'node:crypto';
import type { Account } from '../demo.ts';
import { Portal, Session, expect, expectAccessible, pictures } from '../farm.ts';
import { test } from '../made.ts';

/** Where the user sits: not where the farm does, and not by whole hours. */
const ZONE = 'Asia/Kathmandu';
/** Where it is three hours later. */
const LATER_ZONE = 'Australia/Eucla';
const HOUR_SECS = 3600;

// What is refused is noted in the console.
test.use({ timezoneId: ZONE, mayFail: true });

/** Open on every day from one moment to another, in seconds from now, on the clocks in `ZONE`. */
function open(fromSecs: number, toSecs: number, now = Date.now()) {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, timeStyle: 'medium' });
  const at = (secs: number) => clock.format(now + secs * 1000);
  const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
  return [{ days, from: at(fromSecs), to: at(toSecs) }];
}

test('outside of the hours, by the user’s own clock, the page says when they begin', async ({ portal, anna, ben, made, browser, context }) => {
  const now = Date.now();
  const opensAt = new Date(now + 2 * HOUR_SECS * 1000);
  const inWords = opensAt.toLocaleTimeString('en-US', { timeZone: ZONE, timeStyle: 'short' });
  const spec = { open: open(2 * HOUR_SECS, 4 * HOUR_SECS, now), clock: { of: 'user' } };
  const hours = await made.create('logon_hours', 'Evening', { ...spec, outside: { show_list: false, refuse: false } });
  const { page } = portal;
  await portal.signIn(anna);
  const notice = page.getByTestId('hours-closed');
  await expect(notice).toContainText('Outside of your hours');
  await expect(notice).toContainText('The farm is closed for you at the moment. It opens again:');
  await expect(notice).toContainText(inWords);
  await expect(page.getByText('Your programs are not shown at this hour')).toBeVisible();
  await expect(page.locator('[data-testid=resource]')).toHaveCount(0);
  await pictures(page, 'hours-list-hidden');
  await expectAccessible(page);

  // Shown, but nothing opens.
  const message = 'The workshop is tidied up. Ask Mr. Rana if it cannot wait.';
  await made.put('logon_hours', hours.id, { ...spec, outside: { show_list: true, refuse: true, message } });
  await page.reload();
  await expect(notice).toContainText(message);
  const refused = await portal.open('Calculator');
  const card = await refused.ended('refused');
  await expect(card).toContainText('The farm is closed for you at the moment.');
  await expect(card).toContainText(message);
  await expect(card).toContainText(inWords);
  await pictures(refused.page, 'hours-refused');
  await expectAccessible(refused.page);
  await refused.page.close();

  // Neither shown nor opened: there is nothing to sign in for.
  await made.put('logon_hours', hours.id, { ...spec, outside: { show_list: false, refuse: true } });
  await context.clearCookies();
  await page.goto('/');
  await portal.fillSignIn(anna);
  const problem = page.getByTestId('sign-in-problem');
  await expect(problem).toContainText('The farm is closed for you at the moment.');
  await expect(problem).toContainText(inWords);
  await pictures(page, 'hours-sign-in-refused');
  await expectAccessible(page);

  // Where it is later, the hours have begun.
  const elsewhere = await browser.newContext({ timezoneId: LATER_ZONE });
  const later = new Portal(await elsewhere.newPage());
  await later.signIn(ben);
  await expect(await later.find('Calculator')).toBeVisible();
  await expect(later.page.getByTestId('hours-closed')).toHaveCount(0);
  await elsewhere.close();
});

test('who works when the hours end is warned, puts the end off, and is told when it has come', async ({ portal, anna, made, administrator }) => {
  // Somebody new: what was put off in an earlier test is put off.
  const { spec } = await made.named('users', anna.user_name);
  const hana: Account = { ...anna, user_name: 'hana', password: randomUUID() };
  await made.create('users', hana.user_name, { ...spec, full_name: 'Hana Rai' }, hana.password);
  made.atTheEnd(() => administrator.clear(hana));
  await portal.signIn(hana);
  const editor = await portal.open('Text Editor');
  await editor.ready();
  const until = (secs: number, extend_minutes: number) => ({
    open: open(-HOUR_SECS, secs),
    clock: { of: 'user' },
    outside: { disconnect: true, warn_minutes: 1, extend_minutes },
  });
  let id = '';
  await editor.see('the warning in the session', async () => {
    ({ id } = await made.create('logon_hours', 'Day', until(50, 30)));
  });
  await pictures(editor.page, 'hours-warning');
  await editor.see('it goes', () => editor.press('Enter'));

  await portal.page.bringToFront();
  await portal.page.reload();
  const notice = portal.page.getByTestId('hours-ending');
  await expect(notice).toContainText('Your hours end:');
  await expect(notice).toContainText('Your sessions are disconnected then. Save your work in time.');
  await expect(notice.getByTestId('extend-hours')).toBeVisible();
  await pictures(portal.page, 'hours-ending');
  await expectAccessible(portal.page);

  const { page } = editor;
  await page.bringToFront();
  await page.reload();
  await editor.settled();
  const inSession = page.getByTestId('hours-ending');
  await expect(inSession).toContainText('Your sessions are disconnected then.');
  await pictures(page, 'session-hours-ending');
  await editor.settled();
  await expectAccessible(page);
  await inSession.getByTestId('extend-hours').click();
  await expect(inSession).toHaveCount(0);
  await editor.see('keys go to the program again', () => editor.type('half an hour more'), 0.0005);

  // The administrator takes it back: the end comes, in a moment.
  await made.put('logon_hours', id, until(3, 0));
  const card = await editor.ended('outside_hours');
  await expect(card).toContainText('Your hours are over');
  await expect(card).toContainText('Your hours begin again on ');
  await expect(card).toContainText('Text Editor was disconnected.');
  await expect(card.getByTestId('open-again')).toHaveCount(0);
  await pictures(page, 'session-hours-over');
  await expectAccessible(page);
  const states = async () => (await administrator.sessions(hana.user_name)).map(({ state }) => state);
  await expect.poll(states, { message: 'it runs on without its user' }).toEqual(['disconnected']);

  await card.getByRole('link', { name: 'All programs' }).click();
  await expect(page.getByTestId('hours-closed')).toBeVisible();
  await page.getByTestId('tab-sessions').click();
  await page.locator('[data-testid=session][data-resource="Text Editor"]').getByRole('link').click();
  // Its tab takes a moment to be there.
  const opened = () => page.context().pages().findLast((each) => new URL(each.url()).pathname === '/session');
  await expect.poll(() => opened() !== undefined, { message: 'a tab for the session' }).toBe(true);
  await new Session(opened() ?? page).ended('refused');
});
