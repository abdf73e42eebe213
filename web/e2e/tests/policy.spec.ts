import { randomUUID } from 'node:crypto';
import { chownSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeOf, type Account } from '../demo.ts';
import { Portal, expect, expectAccessible, picture } from '../farm.ts';
import { test } from '../made.ts';
import { oriel } from '../services.ts';

test('a policy that forbids copying out is kept and says why', async ({ portal, anna, made, demo, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await made.create('policies', 'Nothing leaves', {
    settings: {
      clipboard: { direction: 'to_session', kinds: ['text'], max_kib: 64 },
      options: { toolbar: true, session_list: false },
      network: { quality: 'slow', max_kbits: 50_000 },
      drives: { direction: 'to_session' },
      printing: { printers: false },
      audio: { playback: true, recording: false },
    },
  });
  expect(oriel(demo, 'why', 'access', '--user', anna.user_name)).toMatch(/"Nothing leaves" holds; it enforces .*clipboard/);
  await portal.signIn(anna);
  await portal.page.getByTestId('user-menu').click();
  await portal.page.getByTestId('open-settings').click();
  await expect(portal.page.getByTestId('locked-settings')).toContainText('policy “Nothing leaves”');
  await expect(portal.page.getByTestId('settings')).toContainText('Copying into your programs is allowed; copying out of them is not.');
  for (const words of [
    'without wallpaper, effects and themes',
    'they cannot change them or save there',
    'Printers of your device are not in sessions.',
    'Sessions do not hear your microphone.',
  ]) {
    await expect(portal.page.getByTestId('locked-settings')).toContainText(words);
  }
  await picture(portal.page, 'settings-locked');
  await expectAccessible(portal.page);
  await portal.page.keyboard.press('Escape');

  const editor = await portal.open('Text Editor');
  await editor.ready();
  const { page } = editor;
  // Into the session: what is here arrives there.
  await page.evaluate(() => navigator.clipboard.writeText('brought in'));
  await page.bringToFront();
  await editor.press('Control+V');
  await editor.settled();
  await editor.save(anna, 'brought in');
  // Out of it: the same, copied there with more, does not come back.
  await editor.type(' and more');
  await editor.press('Control+A');
  await editor.press('Control+C');
  await editor.settled();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('brought in');

  await page.getByTestId('toolbar-handle').click();
  await page.getByTestId('clipboard-button').click();
  await expect(page.getByTestId('clipboard-rule')).toContainText('policy “Nothing leaves”');
  await expect(page.getByTestId('clipboard-rule')).toContainText('At most 64 KiB at once.');
  await expect(page.getByTestId('clipboard-out-locked')).toBeDisabled();
  await expect(page.getByTestId('clipboard-out')).toHaveCount(0);
  await expect(page.getByTestId('log-off')).toHaveCount(0);
  await picture(page, 'session-clipboard-locked');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.getByTestId('session-settings').click();
  await expect(page.getByTestId('locked-settings')).toContainText('50000 kbit/s');
  await picture(page, 'session-settings-locked');
  await expectAccessible(page);
});

test('a document opens in its application', async ({ portal, anna, made }) => {
  const editor = await made.named('resources', 'Text Editor');
  // A first session makes the account, and with it the home that the document lies in.
  await portal.signIn(anna);
  await (await portal.open('Text Editor')).ready();
  const file = join(homeOf(anna), 'agenda.txt');
  writeFileSync(file, 'first line\n');
  const { uid, gid } = statSync(homeOf(anna));
  chownSync(file, uid, gid);
  await made.create('resources', 'Agenda', {
    target: { kind: 'document', application: editor.id, path: '~/agenda.txt' },
    description: 'Who says what, and when',
  });
  await portal.page.bringToFront();
  await portal.page.reload();
  const tile = await portal.find('Agenda');
  await expect(tile).toHaveAttribute('data-kind', 'document');
  await picture(portal.page, 'portal-document');
  const agenda = await portal.open('Agenda');
  await agenda.ready();
  await agenda.press('Control+End');
  await agenda.type('second line');
  await agenda.press('Control+S');
  await expect.poll(() => readFileSync(file, 'utf8').trim(), { message: `the content of ${file}` }).toBe('first line\nsecond line');
  rmSync(file);
});

test('two programs share one session', async ({ portal, anna, made, administrator }) => {
  for (const name of ['Text Editor', 'Calculator']) {
    await made.change('resources', name, (spec) => ({ ...spec, target: { ...spec.target, share_session: true } }));
  }
  await portal.signIn(anna);
  const editor = await portal.open('Text Editor');
  await editor.ready();
  await portal.page.bringToFront();
  const calculator = await portal.open('Calculator');
  await calculator.settled();
  const [session, ...others] = await administrator.sessions(anna.user_name);
  expect(others).toEqual([]);
  const names = async () => (await administrator.processes(session?.id ?? '')).map((each) => each.name).join();
  await expect.poll(names, { message: 'the programs of the session' }).toMatch(/mousepad.*galculator|galculator.*mousepad/);
  await picture(calculator.page, 'session-shared');
});

test.describe('a refusal', () => {
  test.use({ mayFail: true });

  test('the third user of two licences reads whom to ask', async ({ portal, anna, ben, made, demo, browser }) => {
    const { spec } = await made.named('users', anna.user_name);
    const carla: Account = { user_name: 'carla', password: randomUUID(), groups: anna.groups, os_account: `${anna.os_account}-c` };
    await made.create('users', carla.user_name, { ...spec, full_name: 'Carla Third', account: carla.os_account }, carla.password);
    await made.change('resources', 'Calculator', (spec) => ({
      ...spec,
      limit: { uses: 2, at_limit: 'refuse', message: 'Ask Mrs. Keller at extension 204 for a third licence.' },
    }));
    await portal.signIn(anna);
    await (await portal.open('Calculator')).settled();
    const others = await Promise.all([browser.newContext(), browser.newContext()]);
    const [second, third] = await Promise.all(others.map(async (context) => new Portal(await context.newPage())));
    if (!second || !third) throw new Error('There are two more browsers.');
    await second.signIn(ben);
    await (await second.open('Calculator')).settled();
    await third.signIn(carla);
    const refused = await third.open('Calculator');
    const card = await refused.ended('refused');
    await expect(card).toContainText('As many as may use this program are using it.');
    await expect(card).toContainText('Ask Mrs. Keller at extension 204 for a third licence.');
    const why = oriel(demo, 'why', 'launch', '--user', carla.user_name, '--resource', 'Calculator');
    expect(why).toContain('As many as may use Calculator are using it: 2 of 2.');
    await picture(refused.page, 'session-limit');
    await expectAccessible(refused.page);
    for (const context of others) await context.close();
  });
});
