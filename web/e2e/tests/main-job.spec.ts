import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { homeOf } from '../demo.ts';
import { Portal, expect, picture, test } from '../farm.ts';

test('what is written in the editor is on the host, and closing it ends the session', async ({ portal, anna, administrator }) => {
  await portal.signIn(anna);
  await picture(portal.page, 'portal');
  const editor = await portal.open('Text Editor');
  await editor.ready();

  const name = `line-${Date.now()}.txt`;
  const file = join(homeOf(anna), name);
  const line = `written in the browser at ${Date.now()}`;
  await editor.type(line);
  await picture(editor.page, 'session');
  await editor.see('the dialog to save appears', () => editor.press('Control+S'));
  await editor.press('Control+A');
  await editor.type(name);
  // The dialog looks for names like it; Enter belongs to that until it has found none.
  await editor.settled();
  await editor.press('Enter');
  await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8').trim(), { message: `the content of ${file}` }).toBe(line);

  await editor.settled();
  await editor.press('Control+Q');
  const card = await editor.ended('logged_off');
  // Not before: the editor would ask to save what is not there any more.
  rmSync(file);
  await expect(card).toContainText('Text Editor has ended');
  await picture(editor.page, 'session-ended');

  await portal.page.bringToFront();
  await portal.page.getByTestId('tab-sessions').click();
  await expect(portal.page.getByTestId('no-sessions')).toBeVisible();
  expect(await administrator.sessions(anna.user_name)).toEqual([]);
});

test('a program’s tab has its name and its icon', async ({ portal, anna }) => {
  await portal.signIn(anna);
  const editor = await portal.open('Text Editor');
  await editor.connected();
  await expect(editor.page).toHaveTitle('Text Editor');
  const icon = editor.page.locator('#favicon');
  await expect(icon).toHaveAttribute('href', /\/icons\/[0-9a-f]+\.png$/);
  const answer = await editor.page.request.get((await icon.getAttribute('href')) ?? '');
  expect(answer.headers()['content-type']).toBe('image/png');
});

test('two users see what is theirs', async ({ portal, anna, ben, browser }) => {
  await portal.signIn(anna);
  await expect(await portal.find('Files')).toBeVisible();
  await expect(await portal.find('Terminal')).toHaveCount(0);

  const context = await browser.newContext();
  const other = new Portal(await context.newPage());
  await other.signIn(ben);
  await expect(await other.find('Terminal')).toBeVisible();
  await expect(await other.find('Files')).toHaveCount(0);
  await context.close();
});

test('folders lead to their programs, by link and by address', async ({ portal, anna }) => {
  await portal.signIn(anna);
  const { page } = portal;
  await page.locator('[data-testid=folder][data-resource="Office"]').getByRole('link').click();
  await expect(page.locator('[data-testid=resource][data-resource="Calculator"]')).toBeVisible();
  await page.reload();
  await expect(page.locator('[data-testid=resource][data-resource="Calculator"]')).toBeVisible();
  await page.goBack();
  await expect(page.getByTestId('all')).toBeVisible();
});

test('a favourite stays', async ({ portal, anna }) => {
  await portal.signIn(anna);
  const { page } = portal;
  const tile = await portal.find('Calculator');
  const star = tile.getByRole('button', { name: /favourite/ });
  if ((await star.getAttribute('aria-pressed')) === 'true') await star.click();
  await Promise.all([page.waitForResponse((answer) => answer.url().includes('/favourites/')), star.click()]);
  await page.goto('/');
  await expect(page.getByTestId('favourites')).toContainText('Calculator');
});

test('the keyboard alone opens a program', async ({ portal, anna }) => {
  const { page } = portal;
  await page.goto('/');
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.keyboard.type(anna.user_name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(anna.password);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('portal')).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('calcul');
  const [opened] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')]);
  await expect(opened.getByTestId('session')).toHaveAttribute('data-state', 'connected', { timeout: 45_000 });
});

test.describe('a refusal', () => {
  test.use({ mayFail: true });

  test('a wrong password is told in words, and nothing of it is kept', async ({ portal, anna }) => {
    const { page } = portal;
    await page.goto('/');
    await page.getByLabel('User name').fill(anna.user_name);
    await page.getByLabel('Password', { exact: true }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toContainText('User name or password is not right.');
    await expect(page.getByLabel('Password', { exact: true })).toHaveValue('');
  });
});
