import { randomUUID } from 'node:crypto';
import { chownSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeOf, type Account } from '../demo.ts';
import { Portal, expect, expectAccessible, picture, test, type Administrator } from '../farm.ts';

interface SettingsObject {
  id: string;
  name: string;
  revision: number;
  spec: Record<string, unknown> & { target?: Record<string, unknown> };
}

/** Settings that a test makes, taken away again at its end in the order that references allow. */
class Made {
  readonly #administrator: Administrator;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(administrator: Administrator) {
    this.#administrator = administrator;
  }

  async create(kind: string, name: string, spec: unknown, password?: string): Promise<SettingsObject> {
    const made = await this.#administrator.call<SettingsObject>('POST', kind, { name, spec, ...(password && { password }) });
    this.#undo.push(async () => {
      const { revision } = await this.#administrator.call<SettingsObject>('GET', `${kind}/${made.id}`);
      await this.#administrator.call('DELETE', `${kind}/${made.id}?revision=${revision}`);
    });
    return made;
  }

  /** Changes what a resource says, until the end of the test. */
  async change(name: string, change: (spec: SettingsObject['spec']) => unknown): Promise<SettingsObject> {
    const before = await this.named('resources', name);
    await this.#put(before.id, change(structuredClone(before.spec)));
    this.#undo.push(() => this.#put(before.id, before.spec));
    return before;
  }

  async named(kind: string, name: string): Promise<SettingsObject> {
    const { items } = await this.#administrator.call<{ items: SettingsObject[] }>('GET', kind);
    const found = items.find((each) => each.name === name);
    if (!found) throw new Error(`There is no ${name} among ${kind}.`);
    return found;
  }

  async #put(id: string, spec: unknown): Promise<void> {
    const { name, revision } = await this.#administrator.call<SettingsObject>('GET', `resources/${id}`);
    await this.#administrator.call('PUT', `resources/${id}`, { name, revision, spec });
  }

  async undo(): Promise<void> {
    for (const step of this.#undo.toReversed()) await step();
  }
}

const policyTest = test.extend<{ made: Made }>({
  made: async ({ administrator }, use) => {
    const made = new Made(administrator);
    await use(made);
    await made.undo();
  },
});

policyTest('a policy that forbids copying out is kept and says why', async ({ portal, anna, made, context }) => {
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

policyTest('a document opens in its application', async ({ portal, anna, made }) => {
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

policyTest('two programs share one session', async ({ portal, anna, made, administrator }) => {
  for (const name of ['Text Editor', 'Calculator']) {
    await made.change(name, (spec) => ({ ...spec, target: { ...spec.target, share_session: true } }));
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

policyTest.describe('a refusal', () => {
  policyTest.use({ mayFail: true });

  policyTest('the third user of two licences reads whom to ask', async ({ portal, anna, ben, made, browser }) => {
    const { spec } = await made.named('users', anna.user_name);
    const carla: Account = { user_name: 'carla', password: randomUUID(), groups: anna.groups, os_account: `${anna.os_account}-c` };
    await made.create('users', carla.user_name, { ...spec, full_name: 'Carla Third', account: carla.os_account }, carla.password);
    await made.change('Calculator', (spec) => ({
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
    await picture(refused.page, 'session-limit');
    await expectAccessible(refused.page);
    for (const context of others) await context.close();
  });
});
