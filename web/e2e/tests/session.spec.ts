import { Portal, expect, picture, test } from '../farm.ts';

test.describe('the clipboard', () => {
  test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

  test('carries text in and out', async ({ portal, anna }) => {
    await portal.signIn(anna);
    const editor = await portal.open('Text Editor');
    await editor.ready();
    await editor.page.evaluate(() => navigator.clipboard.writeText('Grüße, 10 €: from the browser'));
    await editor.see('the text is pasted', () => editor.press('Control+V'), 0.001);
    await editor.type(' and back');
    await editor.press('Control+A');
    await editor.press('Control+C');
    await expect
      .poll(() => editor.page.evaluate(() => navigator.clipboard.readText()), { message: 'the clipboard of the browser' })
      .toBe('Grüße, 10 €: from the browser and back');
  });

  test('can be sent by hand', async ({ portal, anna }) => {
    await portal.signIn(anna);
    const editor = await portal.open('Text Editor');
    await editor.ready();
    await editor.page.getByTestId('toolbar-handle').click();
    await editor.page.getByTestId('clipboard-button').click();
    await editor.page.getByTestId('clipboard-in').fill('by hand');
    await editor.page.getByTestId('clipboard-send').click();
    await expect(editor.page.getByText('Sent.')).toBeVisible();
    await picture(editor.page, 'clipboard');
    await editor.page.keyboard.press('Escape');
    await editor.page.getByTestId('keys').focus();
    await editor.page.evaluate(() => navigator.clipboard.writeText(''));
    await editor.press('Shift+Insert');
    await editor.settled();
    await editor.press('Control+A');
    await editor.press('Control+C');
    await expect.poll(() => editor.page.evaluate(() => navigator.clipboard.readText())).toBe('by hand');
  });
});

test.describe('trouble', () => {
  test.use({ mayFail: true });

  test('a reload and a lost network return to the same process', async ({ portal, anna, administrator, context }) => {
    await portal.signIn(anna);
    const editor = await portal.open('Text Editor');
    await editor.ready();
    const running = async () => {
      const [session, ...others] = await administrator.sessions(anna.user_name);
      expect(others).toEqual([]);
      if (!session) throw new Error('the session is not running');
      const process = (await administrator.processes(session.id)).find((each) => each.command_line.includes('mousepad'));
      return { session: session.id, process: process?.process_id };
    };
    const before = await running();
    expect(before.process).toBeDefined();
    await editor.type('still here');

    await editor.page.reload();
    await editor.settled();
    expect(await running()).toEqual(before);

    await context.setOffline(true);
    await expect(editor.root).toHaveAttribute('data-state', 'reconnecting');
    await expect(editor.page.getByTestId('reconnecting')).toContainText('Connection lost. Reconnecting…');
    await picture(editor.page, 'session-reconnecting');
    await context.setOffline(false);
    await editor.settled();
    expect(await running()).toEqual(before);
  });
});

test('what is running can be returned to and logged off from the portal', async ({ portal, anna }) => {
  await portal.signIn(anna);
  const { page } = portal;
  const first = await portal.open('Calculator');
  await first.settled();
  await first.page.close();

  await page.bringToFront();
  await page.getByTestId('tab-sessions').click();
  const row = page.locator('[data-testid=session][data-resource="Calculator"]');
  await expect(row).toHaveAttribute('data-session-state', 'disconnected');
  await picture(page, 'portal-running');
  const [again] = await Promise.all([page.context().waitForEvent('page'), row.getByRole('link').click()]);
  await expect(again.getByTestId('session')).toHaveAttribute('data-state', 'connected', { timeout: 45_000 });

  await page.bringToFront();
  await row.getByRole('button', { name: /Log off/ }).click();
  await page.getByTestId('confirm').click();
  await expect(page.getByTestId('no-sessions')).toBeVisible();
  await expect(again.getByTestId('ended')).toHaveAttribute('data-reason', 'logged_off_by_request');
});

test.describe('a refusal', () => {
  test.use({ mayFail: true });

  test('what is ending says so, and opens anew once it has ended', async ({ portal, ben, administrator }) => {
    await portal.signIn(ben);
    const { page } = portal;
    const terminal = await portal.open('Terminal');
    await terminal.settled();
    const [before] = await administrator.sessions(ben.user_name);
    // A program that does not heed the wish to end takes the whole time that programs have.
    for (const line of ["trap '' 1 15", 'sleep 60']) {
      await terminal.type(line);
      await terminal.press('Enter');
    }
    const commands = async () => (await administrator.processes(before?.id ?? '')).map((each) => each.command_line);
    await expect.poll(commands, { message: 'the programs of the session' }).toContain('sleep 60');

    await page.bringToFront();
    await page.getByTestId('tab-sessions').click();
    const row = page.locator('[data-testid=session][data-resource="Terminal"]');
    await row.getByRole('button', { name: /Log off/ }).click();
    await page.getByTestId('confirm').click();
    await expect(row).toHaveAttribute('data-session-state', 'ending');
    await expect(row).toContainText('Ending…');
    await expect(row.getByRole('button')).toHaveCount(0);
    await picture(page, 'portal-ending');

    const again = await portal.open('Terminal');
    await expect(again.page.getByTestId('reconnecting')).toContainText('The last session of this program is still ending.');
    await picture(again.page, 'session-waits-for-ending');
    await again.settled();
    const [after, ...others] = await administrator.sessions(ben.user_name);
    expect(others).toEqual([]);
    expect(after?.id).not.toBe(before?.id);
  });
});

test('an administrator’s reset ends the tab with its reason', async ({ portal, anna, administrator }) => {
  await portal.signIn(anna);
  const editor = await portal.open('Text Editor');
  await editor.ready();
  const [session] = await administrator.sessions(anna.user_name);
  await administrator.reset(session?.id ?? '');
  const card = await editor.ended('reset');
  await expect(card).toContainText('An administrator has reset Text Editor');
  await picture(editor.page, 'session-reset');
  await card.getByTestId('open-again').click();
  await editor.settled();
});

test('the picture follows the window', async ({ portal, anna }) => {
  await portal.signIn(anna);
  const desktop = await portal.open('Desktop');
  await desktop.settled();
  const size = () =>
    desktop.page.locator('[data-testid=stage] canvas').last().evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]);
  expect(await size()).toEqual([1280, 800]);
  await desktop.page.setViewportSize({ width: 1000, height: 640 });
  await expect.poll(size, { message: 'the size of the remote desktop' }).toEqual([1000, 640]);
  await desktop.settled();
  await desktop.page.setViewportSize({ width: 1400, height: 900 });
  await expect.poll(size, { message: 'the size of the remote desktop' }).toEqual([1400, 900]);
  await desktop.settled();
  await picture(desktop.page, 'desktop');
});

test('a program opened elsewhere ends here, saying so', async ({ portal, anna, browser }) => {
  await portal.signIn(anna);
  const here = await portal.open('Calculator');
  await here.settled();
  const context = await browser.newContext();
  const elsewhere = new Portal(await context.newPage());
  await elsewhere.signIn(anna);
  await (await elsewhere.open('Calculator')).connected();
  await here.ended('taken_over');
  await context.close();
});
