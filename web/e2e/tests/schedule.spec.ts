import { Portal, expect, expectAccessible, picture, type Administrator, type Session } from '../farm.ts';
import { Machine } from '../machine.ts';
import { test as base, type Made } from '../made.ts';
import { oriel, processesOf } from '../services.ts';

/** What the tests publish on their machine. */
const EDITOR = 'Workshop Editor';

const test = base.extend<{ machine: Machine }>({
  /** A session host of its own, which may be restarted, with the text editor on it. */
  machine: async ({ demo, administrator, made, portal, anna }, use) => {
    // The first session of all makes the user's account, which outlives this machine.
    await portal.signIn(anna);
    const first = await portal.open('Calculator');
    await first.settled();
    await first.page.close();
    await administrator.clear(anna);
    const pool = await made.create('pools', 'Workshop', { settings: { linger_disconnect_secs: 0 } });
    const machine = await Machine.join(demo, administrator, made, pool, 'workshop');
    const editor = await made.named('resources', 'Text Editor');
    const target = { ...editor.spec.target, source: { from: 'pools', pools: [pool.id] } };
    await made.create('resources', EDITOR, { ...editor.spec, target, folder: null });
    await portal.page.reload();
    await use(machine);
    await administrator.clear(anna);
  },
});

// A host that is told to drain is given a minute in which seats that were promised may show.
test.describe.configure({ timeout: 300_000 });

test.describe('a host that restarts on schedule', () => {
  // Who is refused, and whose host goes down, is told so by the browser, too.
  test.use({ mayFail: true });

  test('is drained, empties, restarts and takes sessions again', async ({ portal, ben, browser, demo, administrator, made, machine }) => {
    const { editor, session, programs } = await unsaved(portal, administrator);
    const before = (await machine.host()).state.uptime_secs;

    // An hour before, nobody new is let in, and who is there is told: the time is in ten minutes.
    const schedule = await see(editor, 'the message', () =>
      restart(made, { drain_minutes: 60, force_after_minutes: null }, 10, [{ minutes_before: 60, text: 'Restart at {time}. Please save your work.' }]),
    );
    await picture(editor.page, 'session-scheduled-message');
    await editor.see('the message goes', () => editor.press('Enter'));

    const context = await browser.newContext();
    const other = new Portal(await context.newPage());
    await other.signIn(ben);
    const refused = await other.open(EDITOR);
    const card = await refused.ended('refused');
    await expect(card).toContainText('No host can take you right now.');
    await expect(card).toContainText('The only host of pool Workshop is draining.');
    await picture(refused.page, 'session-scheduled-refused');
    await expectAccessible(refused.page);
    const why = oriel(demo, 'why', 'launch', '--user', ben.user_name, '--resource', EDITOR);
    expect(why).toContain('The only host of pool Workshop is draining.');
    expect(why).toContain('workshop: it is draining: it takes reconnections only');

    // Whoever is there works on, and comes back to it.
    await editor.page.reload();
    await editor.settled();
    await editor.see('more text', () => editor.type(' and more was written after the message'), 0.0005);
    expect(processesOf(session)).toEqual(expect.arrayContaining(programs));
    expect((await machine.host()).state).toMatchObject({ logon_mode: 'drain', sessions: 1 });
    expect(machine.starts).toBe(1);

    // The last one leaves: the host does not wait for the time.
    await administrator.call('POST', `sessions/${session}/log-off`);
    await editor.ended('logged_off_by_request');
    await expect.poll(() => machine.starts, { message: 'starts of the machine', timeout: 120_000 }).toBe(2);
    await machine.ready();
    expect(processesOf(session)).toEqual([]);
    expect((await machine.host()).state.uptime_secs).toBeLessThan(before + 60);
    await through(administrator, schedule);
    expect(oriel(demo, 'schedule', 'runs', 'Restart')).toMatch(/^TIME +THROUGH +DONE .*\n\S+ \S+ +\S+ \S+ +1 +0 +0/);

    await card.getByTestId('open-again').click();
    await refused.ready();
    expect((await administrator.sessions(ben.user_name)).map(({ resource_name }) => resource_name)).toEqual([EDITOR]);
    expect(machine.starts).toBe(2);
    await administrator.clear(ben);
    await context.close();
  });

  test('ends what still runs at the deadline, also what was not saved', async ({ portal, administrator, made, machine }) => {
    const { editor, session } = await unsaved(portal, administrator);
    const schedule = await see(editor, 'the message', () =>
      restart(made, { drain_minutes: null, force_after_minutes: 0 }, 0, [{ minutes_before: 0, text: 'This host restarts now.' }]),
    );
    await expect(editor.root, 'the deadline ends it').toHaveAttribute('data-state', 'ended', { timeout: 120_000 });
    const card = await editor.ended('logged_off_by_request');
    await expect(card).toContainText(`${EDITOR} was logged off`);
    await picture(editor.page, 'session-scheduled-end');
    await expect.poll(() => machine.starts, { message: 'starts of the machine', timeout: 180_000 }).toBe(2);
    await machine.ready();
    expect(processesOf(session)).toEqual([]);
    await through(administrator, schedule);
    // The editor starts anew and offers what it has kept by itself.
    await card.getByTestId('open-again').click();
    await editor.settled();
  });
});

test('one group sees a folder, the other does not, and both are told why', async ({ portal, anna, ben, browser, demo, made }) => {
  const engineering = await made.named('groups', 'Engineering');
  const rules = {
    rules: [{ name: 'engineers', effect: 'allow', criteria: [{ type: 'group', objects: [engineering.id] }] }],
    otherwise: 'deny',
  };
  const folder = await made.create('resources', 'Drawings', { target: { kind: 'folder' }, rules });
  const calculator = await made.named('resources', 'Calculator');
  // Of itself, it is for both.
  await made.create('resources', 'Slide Rule', { ...calculator.spec, folder: folder.id });

  await portal.signIn(anna);
  await expect(await portal.find('Slide Rule')).toHaveCount(0);
  await expect(await portal.find('Calculator')).toBeVisible();
  const context = await browser.newContext();
  const other = new Portal(await context.newPage());
  await other.signIn(ben);
  await (await other.open('Slide Rule')).settled();
  await context.close();

  const why = (command: string, user: string, ...more: string[]) => oriel(demo, 'why', command, '--user', user, ...more);
  const access = (user: string) => why('access', user).split('\n').filter((line) => /Slide Rule|Drawings/.test(line)).join('\n');
  expect(access(anna.user_name)).toMatch(/Slide Rule +No: the folder it lies in is hidden from them by the default/);
  expect(access(ben.user_name)).toMatch(/Slide Rule +Yes, by rule 1 "Office or Engineering"/);
  const hidden = why('launch', anna.user_name, '--resource', 'Slide Rule');
  expect(hidden).toContain('The user does not see this resource.');
  expect(hidden).toContain('No: the folder it lies in is hidden from them by the default');
});

/** The editor on the machine, with a line that only its memory holds. */
async function unsaved(portal: Portal, administrator: Administrator) {
  const editor = await portal.open(EDITOR);
  await editor.ready();
  await editor.see('the line', () => editor.type(`not saved at ${Date.now()}`), 0.0005);
  const { items } = await administrator.call<{ items: { id: string; host_name: string }[] }>('GET', 'sessions');
  const session = items.find(({ host_name }) => host_name === 'workshop')?.id ?? '';
  const programs = processesOf(session).filter((program) => program.includes('mousepad'));
  expect(programs).not.toEqual([]);
  return { editor, session, programs };
}

/** A schedule that restarts the machine in so many minutes. */
async function restart(made: Made, drain: object, minutes: number, messages: object[]): Promise<string> {
  const host = await made.named('hosts', 'workshop');
  const starts_at = new Date(Date.now() + minutes * 60_000).toISOString().slice(0, 19);
  const action = { do: 'reboot', ...drain };
  const target = { of: 'hosts', hosts: [host.id] };
  return (await made.create('schedules', 'Restart', { action, target, starts_at, messages })).id;
}

/** Does something that shows, and gives what it gave. */
async function see<T>(session: Session, what: string, act: () => Promise<T>): Promise<T> {
  const done: T[] = [];
  await session.see(what, async () => void done.push(await act()));
  return done[0] as T;
}

/** Waits until the schedule says that everything went as planned. */
async function through(administrator: Administrator, schedule: string): Promise<void> {
  const state = async () => {
    const { state } = await administrator.call<{ state: { going_on: unknown[] } }>('GET', `schedules/${schedule}`);
    const { items } = await administrator.call<{ items: { done: number; given_up: number; problems: unknown[] }[] }>('GET', `schedules/${schedule}/runs`);
    return { going_on: state.going_on, runs: items.map(({ done, given_up, problems }) => ({ done, given_up, problems })) };
  };
  const asPlanned = { going_on: [], runs: [{ done: 1, given_up: 0, problems: [] }] };
  await expect.poll(state, { message: 'how the schedule went', timeout: 30_000 }).toEqual(asPlanned);
}
