import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf, type Account } from '../demo.ts';
import { expect, picture, type Administrator, type Session } from '../farm.ts';
import { test, type SettingsObject } from '../made.ts';

/** Brighter than this are pages of the editor and no buttons. */
const PAPER = 252;

/** The user's one session, and the editor in it. */
async function theEditor(administrator: Administrator, account: Account) {
  const [session, ...others] = await administrator.sessions(account.user_name);
  expect(others).toEqual([]);
  const processes = await administrator.processes(session?.id ?? '');
  const editors = processes.filter(({ name }) => name === 'mousepad').map(({ process_id }) => process_id);
  expect(editors, 'there is one editor').toHaveLength(1);
  return { session: session?.id, process: editors[0] };
}

const target = (changes: object) => (spec: SettingsObject['spec']) => ({ ...spec, target: { ...spec.target, ...changes } });

test('an application that runs for a document is brought to the front when it is opened itself', async ({ portal, anna, made, administrator }) => {
  const folder = mkdtempSync(join(tmpdir(), 'oriel-documents-'));
  const path = join(folder, 'agenda.txt');
  writeFileSync(path, 'first line\n');
  chmodSync(folder, 0o755);
  try {
    const { id } = await made.change('resources', 'Text Editor', target({ share_session: true, one_instance: true }));
    await made.change('resources', 'Calculator', target({ share_session: true }));
    await made.create('resources', 'Agenda', { target: { kind: 'document', application: id, path } });
    await portal.signIn(anna);
    await (await portal.open('Agenda')).ready();
    const before = await theEditor(administrator, anna);
    await portal.page.bringToFront();
    const calculator = await portal.open('Calculator');
    const isEditor = async (session: Session) => (await session.settled()).whiteness(PAPER).then((white) => white > 0.5);
    await expect.poll(() => isEditor(calculator)).toBe(false);
    await portal.page.bringToFront();
    const editor = await portal.open('Text Editor');
    await expect.poll(() => isEditor(editor)).toBe(true);
    await picture(editor.page, 'session-one-instance');
    expect(await theEditor(administrator, anna)).toEqual(before);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a document is handed to the one instance that runs, in a session of its own', async ({ portal, anna, made, administrator }) => {
  const { id } = await made.change('resources', 'Text Editor', target({ share_session: false, one_instance: true }));
  await portal.signIn(anna);
  await (await portal.open('Text Editor')).ready();
  const before = await theEditor(administrator, anna);
  const file = join(homeOf(anna), 'agenda.txt');
  writeFileSync(file, 'first line\n');
  const { uid, gid } = statSync(homeOf(anna));
  chownSync(file, uid, gid);
  try {
    await made.create('resources', 'Agenda', { target: { kind: 'document', application: id, path: '~/agenda.txt' } });
    await portal.page.bringToFront();
    await portal.page.reload();
    const agenda = await portal.open('Agenda');
    await agenda.ready();
    await agenda.press('Control+End');
    await agenda.type('second line');
    await agenda.press('Control+S');
    await expect.poll(() => readFileSync(file, 'utf8').trim(), { message: `the content of ${file}` }).toBe('first line\nsecond line');
    expect(await theEditor(administrator, anna)).toEqual(before);
  } finally {
    rmSync(file);
  }
});
