import type { Account } from '../demo.ts';
import { Portal, expect, picture, test as base, type Administrator, type Session } from '../farm.ts';
import { SERVICES, Services, logsOf, processesOf } from '../services.ts';

const test = base.extend<{ services: Services }>({
  services: async ({ demo, administrator, request }, use) => use(new Services(demo, administrator, request)),
});

// A service that was killed is waited for, besides the session.
test.describe.configure({ timeout: 180_000 });
// Who is killed does not answer.
test.use({ mayFail: true });

test.describe('kill -9', () => {
  test('of the gateway: the tab comes back by itself to the same process', async ({ portal, anna, administrator, services }) => {
    const { editor, line, before } = await unsaved(portal, anna, administrator);

    await services.without(['gateway'], async () => {
      await expect(editor.root).toHaveAttribute('data-state', 'reconnecting');
      await expect(editor.page.getByTestId('reconnecting')).toContainText('Connection lost. Reconnecting…');
      await picture(editor.page, 'session-gateway-killed');
      const left = () => running(administrator, anna);
      await expect.poll(left, { message: 'the session goes on without its client' }).toEqual({ ...before, state: 'disconnected' });
    });

    await editor.settled();
    expect(await running(administrator, anna)).toEqual(before);
    await editor.save(anna, line);
  });

  test('of the broker: sessions do not notice, sign-in and settings stay', async ({ portal, anna, administrator, services }) => {
    const { editor, line, before } = await unsaved(portal, anna, administrator);
    const states = await statesOf(editor);
    // What was answered with success just before must be there after.
    const name = `Made right before the crash ${Date.now()}`;
    const group = await administrator.call<{ id: string }>('POST', 'groups', { name, spec: {} });
    const settings = await settingsOf(administrator);

    let more = '';
    await services.without(['broker'], async () => {
      more = ` and ${Date.now()} without a broker`;
      await editor.see('what is typed while the broker is away', () => editor.type(more), 0.0005);
      await portal.page.reload();
      await expect(portal.page.getByText('The farm is not ready yet.')).toBeVisible();
      await picture(portal.page, 'portal-broker-killed');
    });

    expect(await settingsOf(administrator)).toEqual(settings);
    await administrator.call('DELETE', `groups/${group.id}?revision=1`);

    await portal.page.reload();
    await expect(portal.page.getByTestId('portal'), 'the sign-in still holds').toBeVisible();
    await portal.page.getByTestId('tab-sessions').click();
    await expect(portal.page.locator('[data-testid=session][data-resource="Text Editor"]')).toHaveAttribute('data-session-state', 'active');
    expect(await running(administrator, anna)).toEqual(before);
    const other = await portal.open('Calculator');
    await other.settled();

    await editor.page.bringToFront();
    await editor.save(anna, line + more);
    expect(await states(), 'the tab was connected all the time').toEqual(['connected']);
  });

  test('of the agent: sessions go on, and are found again', async ({ portal, anna, administrator, services }) => {
    const { editor, line, before } = await unsaved(portal, anna, administrator);
    const states = await statesOf(editor);

    let more = '';
    await services.without(['agent'], async () => {
      more = ` and ${Date.now()} without an agent`;
      await editor.see('what is typed while the agent is away', () => editor.type(more), 0.0005);
      const refused = await portal.open('Calculator');
      const card = await refused.ended('refused');
      await expect(card).toContainText('cannot be reached');
      await picture(refused.page, 'session-agent-killed');
      await refused.page.close();
    });

    await expect.poll(() => running(administrator, anna), { message: 'the session as it was' }).toEqual(before);
    expect(await states(), 'the tab was connected all the time').toEqual(['connected']);

    await editor.page.bringToFront();
    await message(editor, administrator, before.session);
    await editor.save(anna, line + more);
    await editor.page.reload();
    await editor.settled();
    expect(await running(administrator, anna)).toEqual(before);
    await logOff(portal, editor, before.session);
  });

  test('of all three at once', async ({ portal, anna, administrator, services }) => {
    const { editor, line, before } = await unsaved(portal, anna, administrator);
    const settings = await settingsOf(administrator);

    await services.kill(...SERVICES);
    await expect(editor.root).toHaveAttribute('data-state', 'connected', { timeout: 60_000 });
    await editor.settled();

    await expect.poll(() => running(administrator, anna), { message: 'the session as it was' }).toEqual(before);
    expect(await settingsOf(administrator)).toEqual(settings);
    await editor.save(anna, line);
  });

  for (const service of SERVICES) {
    test(`of the ${service}, while a program is being opened`, async ({ portal, anna, administrator, services }) => {
      await portal.signIn(anna);
      for (const moment of ['launching', 'connecting', 'waiting']) {
        const calculator = await portal.open('Calculator');
        await calculator.page
          .waitForFunction((step) => {
            const now = document.querySelector<HTMLElement>('[data-testid=session]')?.dataset.step;
            return now === step || now === 'connected';
          }, moment, { polling: 20 })
          .catch(() => {});
        await services.kill(service);
        if (service === 'agent') {
          // A one-time logon that was on its way is void: the page says so and offers the way back.
          const again = calculator.page.getByTestId('open-again');
          await expect(calculator.page.locator('[data-testid=session][data-state=connected]').or(again)).toBeVisible();
          if (await again.isVisible()) await again.click();
        }
        await calculator.settled();
        const sessions = await administrator.sessions(anna.user_name);
        expect(sessions.map(({ resource_name, state }) => `${resource_name} ${state}`)).toEqual(['Calculator active']);
        await calculator.page.close();
        await portal.page.bringToFront();
        await administrator.clear(anna);
      }
    });
  }
});

test('a draining host takes its sessions back, and no others', async ({ portal, anna, administrator }) => {
  const { editor, line, before } = await unsaved(portal, anna, administrator);
  await editor.page.close();

  const hosts = async () => (await administrator.call<{ items: { id: string; state: { logon_mode: string } }[] }>('GET', 'hosts')).items;
  const all = async (logon_mode: string) => {
    for (const { id } of await hosts()) await administrator.call('POST', `hosts/${id}/logon-mode`, { logon_mode });
    const inForce = async () => [...new Set((await hosts()).map(({ state }) => state.logon_mode))];
    await expect.poll(inForce, { message: 'the logon mode in force', intervals: [50], timeout: 1000 }).toEqual([logon_mode]);
  };
  await all('drain');
  try {
    await portal.page.bringToFront();
    const calculator = await portal.open('Calculator');
    const card = await calculator.ended('refused');
    await expect(card).toContainText('No host can take you right now.');
    await expect(card).toContainText('The only host of pool Default is draining.');
    await picture(calculator.page, 'session-draining');

    await portal.page.bringToFront();
    const again = await portal.open('Text Editor');
    await again.settled();
    expect(await running(administrator, anna)).toEqual(before);
    await again.save(anna, line);

    await all('enabled');
    await calculator.page.bringToFront();
    await card.getByTestId('open-again').click();
    await calculator.settled();
  } finally {
    await all('enabled');
  }
});

test('a second tab takes the program over, and the first says so', async ({ portal, anna, administrator }) => {
  const { editor, line, before } = await unsaved(portal, anna, administrator);

  await portal.page.bringToFront();
  const second = await portal.open('Text Editor');
  await second.settled();
  expect(await running(administrator, anna)).toEqual(before);
  const card = await editor.ended('taken_over');
  await expect(card).toContainText('Text Editor was opened elsewhere');
  await expect(card).toContainText('Going back to it ends the connection there.');
  await editor.page.bringToFront();
  await picture(editor.page, 'session-taken-over');

  await card.getByTestId('open-again').click();
  await editor.settled();
  await second.ended('taken_over');
  expect(await running(administrator, anna)).toEqual(before);
  await editor.save(anna, line);
});

test('a page that is loaded anew while the farm is away comes back by itself', async ({ portal, anna, administrator, services }) => {
  const { editor, line, before } = await unsaved(portal, anna, administrator);
  for (const [away, says] of [
    ['broker', 'The farm is not ready yet.'],
    ['agent', 'The host could not prepare your session.'],
  ] as const) {
    await services.without([away], async () => {
      await editor.page.reload();
      const card = editor.page.getByTestId('reconnecting');
      await expect(card).toContainText('Returning to your session…');
      await expect(card).toContainText(says);
      await expect(card).toContainText(/Next try in \d+ seconds?\./);
      await picture(editor.page, `session-reloaded-without-${away}`);
    });
    await expect(editor.root).toHaveAttribute('data-state', 'connected', { timeout: 60_000 });
    await editor.settled();
    expect(await running(administrator, anna)).toEqual(before);
  }
  await editor.save(anna, line);
});

test('an administrator’s message appears in the session', async ({ portal, anna, administrator }) => {
  const { editor, before } = await unsaved(portal, anna, administrator);
  await message(editor, administrator, before.session);
});

test('logging off in the portal ends the session and its programs', async ({ portal, anna, administrator }) => {
  const { editor, before } = await unsaved(portal, anna, administrator);
  await logOff(portal, editor, before.session);
  await expect.poll(() => administrator.sessions(anna.user_name), { message: 'the sessions' }).toEqual([]);
});

test('a session ends when its program ends, however it ends', async ({ portal, anna, administrator }) => {
  const { items: pools } = await administrator.call<{ items: { spec: { settings: object } }[] }>('GET', 'pools');
  for (const pool of pools) expect(pool.spec.settings).toMatchObject({ linger_disconnect_secs: 0 });

  await portal.signIn(anna);
  const calculator = await portal.open('Calculator');
  await calculator.settled();
  const { session, process } = await running(administrator, anna, 'galculator');
  await administrator.call('POST', `sessions/${session}/end-process`, { process_id: process });
  const card = await calculator.ended('logged_off');
  await expect(card).toContainText('Calculator has ended');
  await expect.poll(() => administrator.sessions(anna.user_name), { message: 'the sessions' }).toEqual([]);
  await expect.poll(() => processesOf(session), { message: 'what the session has left running' }).toEqual([]);
});

// The last of the file: by now the logs have seen every kind of trouble.
test('no log holds a secret', async ({ portal, demo, anna, administrator, context }) => {
  const tickets: string[] = [];
  context.on('response', async (answer) => {
    if (!answer.url().endsWith('/launches') || !answer.ok()) return;
    tickets.push(((await answer.json()) as { ticket: string }).ticket);
  });
  await portal.signIn(anna);
  const token = await administrator.call<{ id: string; secret: string }>('POST', 'tokens', { name: `seen ${Date.now()}`, spec: { role: 'viewer' } });
  await administrator.call('DELETE', `tokens/${token.id}?revision=1`);
  await (await portal.open('Calculator')).settled();
  await expect.poll(() => tickets.length, { message: 'tickets of launches' }).toBe(1);
  const cookies = (await context.cookies()).map((cookie) => cookie.value);
  expect(cookies).not.toEqual([]);

  const secrets = [...demo.accounts.map((account) => account.password), demo.api_token, token.secret, ...tickets, ...cookies];
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(10);
  const logs = logsOf(demo);
  expect(logs.map(({ path }) => path.split('/').at(-1))).toEqual(expect.arrayContaining(['oriel.log', 'xrdp.log', 'sesman.log']));
  for (const { path, text } of logs) {
    expect(secrets.filter((secret) => text.includes(secret)), `secrets in ${path}`).toEqual([]);
    // One-time logons, which nobody out here knows, and tokens of earlier tests have this shape.
    const looksLikeOne = text.match(/(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{43}(?![\w-])/g) ?? [];
    expect(looksLikeOne, `what looks like a secret in ${path}`).toEqual([]);
  }
});

/** The text editor with a line that only its memory holds. */
async function unsaved(portal: Portal, account: Account, administrator: Administrator) {
  await portal.signIn(account);
  const editor = await portal.open('Text Editor');
  await editor.ready();
  const line = `not saved at ${Date.now()}`;
  await editor.see('the line', () => editor.type(line), 0.0005);
  return { editor, line, before: await running(administrator, account) };
}

/** The one session of the user that runs `program`. */
async function running(administrator: Administrator, account: Account, program = 'mousepad') {
  for (const { id, resource_name, state } of await administrator.sessions(account.user_name)) {
    const process = (await administrator.processes(id)).find(({ command_line }) => command_line.includes(program))?.process_id;
    if (process !== undefined) return { session: id, resource_name, state, process };
  }
  throw new Error(`No session of ${account.user_name} runs ${program}.`);
}

/** Sends a message, sees it in the session, and puts it away. */
async function message(editor: Session, administrator: Administrator, session: string): Promise<void> {
  const body = { title: 'Maintenance', text: 'This host will be restarted at six. Please save your work.' };
  await editor.see('the message', () => administrator.call('POST', `sessions/${session}/message`, body));
  await picture(editor.page, 'session-message');
  await editor.see('the message goes', () => editor.press('Enter'));
}

async function logOff(portal: Portal, editor: Session, session: string): Promise<void> {
  const { page } = portal;
  const programs = processesOf(session);
  expect(programs).not.toEqual([]);
  await page.bringToFront();
  await page.getByTestId('tab-sessions').click();
  const row = page.locator('[data-testid=session][data-resource="Text Editor"]');
  await row.getByRole('button', { name: /Log off/ }).click();
  await page.getByTestId('confirm').click();
  const card = await editor.ended('logged_off_by_request');
  await expect(card).toContainText('Text Editor was logged off');
  await expect.poll(() => processesOf(session), { message: 'what the session has left running' }).toEqual([]);
  // Programs have a moment to end in order; until then the session is listed.
  await expect(page.getByTestId('no-sessions')).toBeVisible();
}

/** Watches the tab from now on: gives all the states that it has been in. */
async function statesOf(session: Session): Promise<() => Promise<string[]>> {
  await session.root.evaluate((root) => {
    const states = [root.dataset.state ?? ''];
    Object.assign(window, { seenStates: states });
    new MutationObserver(() => states.push(root.dataset.state ?? '')).observe(root, { attributeFilter: ['data-state'] });
  });
  return async () => [...new Set(await session.page.evaluate(() => (window as unknown as { seenStates: string[] }).seenStates))];
}

/** Everything that an administrator has set. */
async function settingsOf(administrator: Administrator): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = { farm: await administrator.call('GET', 'farm') };
  for (const kind of ['sites', 'groups', 'users', 'resources']) settings[kind] = await administrator.call('GET', kind);
  // How they are is no setting.
  for (const kind of ['pools', 'hosts']) {
    const { items } = await administrator.call<{ items: { id: string; revision: number; spec: object }[] }>('GET', kind);
    settings[kind] = items.map(({ id, revision, spec }) => ({ id, revision, spec }));
  }
  return settings;
}
