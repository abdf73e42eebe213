import { expect, test } from '../../admin.ts';
import { Portal, expectAccessible, pictures } from '../../farm.ts';

interface View {
  id: string;
  name: string;
  revision: number;
  site: string | null;
  spec: Record<string, unknown>;
}

test('a change is shown in words before it is saved, and taken back from the history', async ({ page, administrator, make }) => {
  const { id } = await make('pools', { name: 'Quiet pool', spec: { description: 'Before' } });
  await page.goto(`/pools/${id}`);
  await page.getByTestId('edit').click();
  await page.getByLabel('Description', { exact: true }).fill('After');
  await page.getByLabel('Most sessions').fill('12');
  await page.getByTestId('review').click();
  const summary = page.getByRole('dialog');
  await expect(summary.getByRole('row').filter({ hasText: 'Description' })).toContainText('Before');
  await expect(summary.getByRole('row').filter({ hasText: 'Description' })).toContainText('After');
  await expect(summary.getByRole('row').filter({ hasText: 'Most sessions' })).toContainText('12');
  await page.getByTestId('save').click();
  await expect(page.getByText('Set here').first()).toBeVisible();
  expect((await administrator.call<View>('GET', `pools/${id}`)).spec).toMatchObject({ description: 'After', settings: { max_sessions: 12 } });

  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByTestId('history').getByTestId('revert').first().click();
  await expect(page.getByRole('dialog')).toContainText('Description');
  await page.getByTestId('revert-now').click();
  await expect(page.getByText('Taken back')).toBeVisible();
  expect((await administrator.call<View>('GET', `pools/${id}`)).spec).toMatchObject({ description: 'Before', settings: {} });
});

test.describe('two administrators', () => {
  test.use({ mayFail: true });

  test('change one object: both versions are shown, and the second chooses', async ({ page, administrator, make }) => {
    const { id } = await make('pools', { name: 'Shared pool', spec: { description: 'Old', settings: { max_sessions: 10 } } });
    await page.goto(`/pools/${id}?edit=true`);
    await page.getByLabel('Description', { exact: true }).fill('Mine');
    const now = await administrator.call<View>('GET', `pools/${id}`);
    await administrator.call('PUT', `pools/${id}?revision=${now.revision}`, { name: now.name, site: null, spec: { ...now.spec, description: 'Theirs', settings: { max_sessions: 20 } } });
    await expect(page.getByText('has changed this meanwhile')).toBeVisible();
    await page.getByTestId('review').click();
    await page.getByTestId('save').click();
    const conflict = page.getByTestId('conflict');
    await expect(conflict.getByRole('row').filter({ hasText: 'Most sessions' })).toContainText('20');
    await conflict.getByRole('radio', { name: /Yours/ }).check();
    await page.getByTestId('conflict-save').click();
    await expect(page.getByTestId('edit')).toBeVisible();
    expect((await administrator.call<View>('GET', `pools/${id}`)).spec).toMatchObject({ description: 'Mine', settings: { max_sessions: 20 } });
  });
});

test('a host is drained, says so in the list, and is opened again', async ({ page, administrator }) => {
  const { items } = await administrator.call<{ items: View[] }>('GET', 'hosts');
  const host = items[0];
  await page.goto('/hosts');
  await page.getByRole('checkbox', { name: `Choose ${host?.name}` }).check();
  await page.getByTestId('bulk-drain').click();
  await page.getByTestId('confirm').click();
  await expect(page.getByTestId('outcomes')).toContainText('done');
  await page.getByRole('button', { name: 'Close' }).last().click();
  await expect(page.getByTestId('row').filter({ hasText: host?.name ?? '' })).toContainText('Draining');
  await page.goto(`/hosts/${host?.id}`);
  await page.getByTestId('do-enabled').click();
  await page.getByTestId('confirm').click();
  await expect(page.getByTestId('outcomes')).toContainText('done');
  expect((await administrator.call<View>('GET', `hosts/${host?.id}`)).spec).toMatchObject({ logon_mode: 'enabled' });
});

test('programs of a host are published for a group, found by the search, and deleted', async ({ page, administrator, make }) => {
  const group = await make('groups', { name: 'Newcomers', spec: {} });
  await page.goto('/publishing/add');
  await page.getByTestId('next').click();
  await page.getByLabel('Search the programs').fill('vim');
  await page.getByTestId('programs').getByRole('checkbox', { name: 'Vim' }).click();
  await page.getByTestId('next').click();
  await page.getByRole('combobox', { name: 'Groups that see them' }).click();
  await page.getByRole('option', { name: 'Newcomers' }).click();
  await page.keyboard.press('Escape');
  await page.getByTestId('next').click();
  await page.getByTestId('publish-now').click();
  await expect(page.getByTestId('published')).toContainText('published');
  const { items } = await administrator.call<{ items: View[] }>('GET', 'resources?name=Vim');
  const resource = items[0];
  expect(resource?.spec).toMatchObject({ target: { kind: 'application' }, rules: { otherwise: 'deny', rules: [{ effect: 'allow', criteria: [{ type: 'group', objects: [group.id] }] }] } });
  expect(resource?.spec.icon).toMatch(/^[0-9a-f]{64}$/);

  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Search objects, pages and actions').fill('Vim');
  await page.getByRole('option', { name: /Vim/ }).or(page.locator('[data-action]').filter({ hasText: 'Vim' })).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Vim');
  await page.getByTestId('delete').click();
  await page.getByTestId('delete-now').click();
  await expect(page).toHaveURL(/\/publishing$/);
  expect((await administrator.call<{ items: View[] }>('GET', 'resources?name=Vim')).items).toEqual([]);
});

test.describe('what is in use', () => {
  test.use({ mayFail: true });

  test('is not deleted, and the dialog names what uses it', async ({ page, administrator }) => {
    const { items } = await administrator.call<{ items: View[] }>('GET', 'pools?name=Default');
    await page.goto(`/pools/${items[0]?.id}`);
    await page.getByTestId('delete').click();
    await expect(page.getByTestId('in-use')).toContainText('Calculator');
    await expect(page.getByTestId('delete-now')).toBeDisabled();
  });
});

test('a tree is moved by keys alone', async ({ page, administrator, make }) => {
  const folder = await make('resources', { name: 'Zoo', spec: { order: 900, target: { kind: 'folder' } } });
  const first = await make('resources', { name: 'Ant', spec: { folder: folder.id, order: 0, target: { kind: 'folder' } } });
  await make('resources', { name: 'Bee', spec: { folder: folder.id, order: 1, target: { kind: 'folder' } } });
  await page.goto('/publishing');
  await page.getByRole('button', { name: 'What to do with Bee' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Move up' }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await administrator.call<View>('GET', `resources/${first.id}`)).spec.order).toBe(1);
});

test.describe('a session', () => {
  // Its processes may be asked for in the moment that it ends.
  test.use({ mayFail: true });

  test('somebody’s session appears as it begins, is told something, and is reset', async ({ page, administrator, anna, browser, demo }) => {
    await page.goto('/sessions');
    const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
    const portal = new Portal(await context.newPage());
    await portal.signIn(anna);
    await portal.open('Calculator');
    await expect(page.getByTestId('row').filter({ hasText: anna.user_name })).toContainText('active', { timeout: 60_000 });
    await page.getByRole('link', { name: anna.user_name }).click();
    await expect(page.getByTestId('processes')).toContainText('galculator', { timeout: 30_000 });
    await page.getByTestId('do-message').click();
    await page.getByLabel('Text').fill('The house closes at six.');
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('outcomes')).toContainText('done');
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByTestId('do-reset').click();
    await page.getByTestId('confirm').click();
    await expect.poll(() => administrator.sessions(anna.user_name), { timeout: 30_000 }).toEqual([]);
    // The page may notice first, and then the dialog has gone with what it was about.
    await expect(async () => {
      const close = page.getByRole('button', { name: 'Close' });
      if ((await close.count()) > 0) await close.last().click({ timeout: 1_000 });
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('The session has ended', { timeout: 1_000 });
    }).toPass({ timeout: 20_000 });
    await context.close();
  });
});

test('a real logon is told step by step, and its round trip and traffic live', async ({ page, administrator, anna, browser, demo }) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
  const portal = new Portal(await context.newPage());
  await portal.signIn(anna);
  await portal.open('Calculator');
  const measured = async () => {
    const [session] = await administrator.sessions(anna.user_name);
    return session?.connection?.round_trip_ms != null && session.logon?.total_ms != null ? session : null;
  };
  await expect.poll(measured, { message: 'the session with its logon and round trip', timeout: 60_000 }).not.toBeNull();
  const session = await measured();
  const logon = session?.logon;
  if (!session || !logon) throw new Error('the session has gone');
  const { brokering_ms, prepare_ms, connect_ms, host_logon_ms, first_picture_ms, total_ms } = logon;
  const steps = [brokering_ms, prepare_ms, connect_ms, host_logon_ms, first_picture_ms].map(Number);
  expect(steps.every((step) => step >= 0 && step < 60_000)).toBe(true);
  expect(steps.reduce((sum, step) => sum + step, 0)).toBe(total_ms);
  // Hosts start an X server for it, and the client joins a dozen channels.
  expect(Number(host_logon_ms)).toBeGreaterThan(50);
  expect(Number(connect_ms)).toBeGreaterThan(5);
  expect(session.connection?.round_trip_ms).toBeLessThan(5_000);

  await page.goto('/sessions');
  const row = page.getByTestId('row').filter({ hasText: anna.user_name });
  await expect(row).toContainText(' ms');
  await row.getByRole('link', { name: anna.user_name }).click();
  const table = page.getByTestId('logon');
  for (const name of ['Brokering', 'Prepare', 'Connect', 'Host logon', 'First picture']) {
    await expect(table.getByRole('row').filter({ hasText: name }).first()).toContainText(/[\d.]+ m?s$/);
  }
  await expect(page.getByTestId('logon-total')).toContainText(/[\d.]+ m?s$/);
  await expect(page.getByTestId('round-trip')).toContainText(/[\d.]+ m?s/);
  // A second look of the page makes a line of it.
  await expect(page.getByTestId('network').locator('polyline')).toHaveCount(3, { timeout: 20_000 });
  await expectAccessible(page);
  await page.getByTestId('logon-total').scrollIntoViewIfNeeded();
  await pictures(page, 'admin-session-measured');
  // Its processes would be asked for in the moment that it ends.
  await page.goto('about:blank');
  await context.close();
});

test('logon hours are drawn with the mouse and with the keyboard', async ({ page, administrator }) => {
  await page.goto('/logon_hours/new');
  await page.getByRole('textbox', { name: 'Name' }).fill('Drawn hours');
  const cell = (day: number, hour: number) => page.locator(`[data-cell="${day}-${hour}"]`);
  await cell(0, 8).hover();
  await page.mouse.down();
  for (const hour of [9, 10, 11]) await cell(0, hour).hover();
  await page.mouse.up();
  await cell(1, 8).focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await page.getByTestId('make').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Drawn hours');
  const { items } = await administrator.call<{ items: View[] }>('GET', 'logon_hours?name=Drawn');
  const made = items[0];
  await page.goto('about:blank');
  await administrator.call('DELETE', `logon_hours/${made?.id}?revision=${made?.revision}`);
  expect(made?.spec.open).toEqual([
    { days: ['monday'], from: '08:00:00', to: '12:00:00' },
    { days: ['tuesday'], from: '08:00:00', to: '10:00:00' },
  ]);
});

test('why a user does not see an application is found, mended from there, and they see it', async ({ page, make, administrator, anna, browser, demo }) => {
  const named = async (plural: string, name: string) => (await administrator.call<{ items: View[] }>('GET', `${plural}?name=${name}`)).items[0];
  const [office, engineering, calculator, user] = [await named('groups', 'Office'), await named('groups', 'Engineering'), await named('resources', 'Calculator'), await named('users', anna.user_name)];
  const rules = { otherwise: 'deny', rules: [{ name: 'Draughtsmen', effect: 'allow', criteria: [{ type: 'group', objects: [engineering?.id], negated: false }] }] };
  const resource = await make('resources', { name: 'Abacus', spec: { ...calculator?.spec, folder: null, rules } });

  await page.goto('/access');
  await page.getByRole('combobox', { name: 'User', exact: true }).fill(anna.user_name);
  await page.getByRole('option', { name: anna.user_name, exact: true }).click();
  const row = page.getByTestId('effective').getByRole('row').filter({ hasText: 'Abacus' });
  await expect(row).toContainText('does not see it');
  await expect(row).toContainText('No rule holds');
  const asked = page.url();
  expect(asked).toContain(`user=${user?.id}`);

  await row.getByTestId('mend').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Abacus');
  const groups = page.getByRole('combobox', { name: 'one of' });
  await groups.click();
  await page.getByRole('option', { name: 'Office', exact: true }).click();
  await page.keyboard.press('Escape');
  await page.getByTestId('review').click();
  await expect(page.getByRole('dialog')).toContainText('Office');
  await page.getByTestId('save').click();
  await expect(page.getByTestId('edit')).toBeVisible();
  expect((await administrator.call<View>('GET', `resources/${resource.id}`)).spec.rules).toMatchObject({ rules: [{ criteria: [{ objects: [engineering?.id, office?.id] }] }] });

  await page.goto(asked);
  await expect(row).toContainText('sees it');
  await expect(row).toContainText('Rule 1: Draughtsmen');
  const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
  const portal = new Portal(await context.newPage());
  await portal.signIn(anna);
  await expect(await portal.find('Abacus')).toBeVisible();
  await context.close();
});

test.describe('a colleague', () => {
  test('makes a mistake, which is found by their name and taken back alone, and then all of it since a moment', async ({ page, make, administrator, browser, demo }) => {
    // The log keeps what the Carls of earlier runs have done.
    const mark = Date.now().toString(36);
    const carlson = `carl-${mark}`;
    const password = `colleague ${Date.now()}`;
    const user = await make('users', { name: carlson, password, spec: { full_name: 'Carl Colleague' } });
    await make('administrators', { name: carlson, spec: { who: { user: user.id }, role: 'power' } });
    const pool = await make('pools', { name: 'Quiet corner', spec: { description: 'As it should be', settings: { max_sessions: 20 } } });
    const group = await make('groups', { name: 'Auditors', spec: { description: 'They look' } });

    const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.management, locale: 'en-US' });
    const carl = await context.newPage();
    await carl.goto(`/pools/${pool.id}?edit=true`);
    await carl.locator('input[name=username]').fill(carlson);
    await carl.locator('input[name=password]').fill(password);
    await carl.locator('button[type=submit]').click();
    const say = async (field: string, value: string) => {
      await carl.getByLabel(field, { exact: true }).fill(value);
      await carl.getByTestId('review').click();
      await carl.getByTestId('save').click();
      await expect(carl.getByTestId('edit')).toBeVisible();
    };
    await say('Description', 'Mine now');

    await page.goto(`/audit?by=${carlson}`);
    const mistake = page.locator('[data-testid=entry][data-code="settings.changed"]').filter({ hasText: 'Quiet corner' });
    await expect(mistake).toContainText(carlson);
    await mistake.getByTestId('revert').click();
    await expect(page.getByTestId('revert-plan').getByRole('row').filter({ hasText: 'Description' })).toContainText('As it should be');
    await page.getByTestId('revert-now').click();
    await expect(page.getByText('Taken back', { exact: true })).toBeVisible();
    expect((await administrator.call<View>('GET', `pools/${pool.id}`)).spec).toMatchObject({ description: 'As it should be' });

    // A moment is told to the second: what was right has happened before it.
    const since = Math.floor(Date.now() / 1000) * 1000 + 1000;
    await expect.poll(() => Date.now()).toBeGreaterThan(since);
    await carl.goto(`/pools/${pool.id}?edit=true`);
    await say('Description', 'Mine again');
    await carl.goto(`/groups/${group.id}`);
    await carl.getByTestId('delete').click();
    await carl.getByTestId('delete-now').click();
    await expect(carl).toHaveURL(/\/groups$/);
    await context.close();

    await page.getByTestId('revert-since').click();
    const local = await page.evaluate((at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19), since);
    await page.getByLabel('Since when').fill(local);
    await page.getByTestId('revert-preview').click();
    const plan = page.getByTestId('revert-plan');
    await expect(plan).toContainText('2 objects change');
    await expect(plan).toContainText('Group “Auditors” is created again');
    await expect(plan).toContainText('Pool “Quiet corner” is changed');
    await page.getByTestId('revert-now').click();
    await expect(page.getByText('Taken back', { exact: true })).toBeVisible();
    expect((await administrator.call<View>('GET', `pools/${pool.id}`)).spec).toMatchObject({ description: 'As it should be' });
    expect(await administrator.call<View>('GET', `groups/${group.id}`)).toMatchObject({ name: 'Auditors', spec: { description: 'They look' } });
    // One change takes all of it back, and it is in the log like any other.
    const { items } = await administrator.call<{ items: { transaction: number; author: { name: string } }[] }>('GET', 'changes?limit=2');
    expect(items.map(({ author }) => author.name)).toEqual(['user admin', 'user admin']);
    expect(new Set(items.map(({ transaction }) => transaction)).size).toBe(1);
  });
});

test('a pool says how its hosts are, and draws what they carried', async ({ page, administrator }) => {
  interface PoolView extends View { state: { hosts: number; connected: number; open: number; places: number } }
  const pools = (await administrator.call<{ items: PoolView[] }>('GET', 'pools')).items;
  const pool = pools.find(({ state }) => state.connected > 0);
  await page.goto('/pools');
  const row = page.getByRole('row').filter({ hasText: pool?.name ?? 'a pool with a host' });
  await expect(row).toContainText(`${pool?.state.open} of ${pool?.state.hosts}`);
  await expect(row).toContainText(`/ ${pool?.state.places}`);
  await row.getByRole('link', { name: pool?.name ?? '' }).first().click();
  await page.getByRole('tab', { name: 'State' }).click();
  await expect(page.getByRole('tabpanel')).toContainText('Connected hosts');
  await expect(page.getByTestId('load')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('tab', { name: 'Sessions' }).click();
  await expect(page.getByRole('tabpanel')).toBeVisible();
});

test('tokens say when they were last used', async ({ page, administrator, make }) => {
  // This call is a use of the token that the tests have.
  await administrator.call('GET', 'tokens');
  const { id } = await make('tokens', { name: 'Never used', spec: { role: 'viewer' } });
  await page.goto('/tokens');
  await expect(page.getByRole('row').filter({ hasText: 'Never used' })).toContainText('never');
  const used = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'admin', exact: true }) });
  await expect(used).toHaveCount(1);
  await expect(used).not.toContainText('never');
  await page.goto(`/tokens/${id}`);
  await expect(page.getByTestId('last-used')).toContainText('Last used: never');
});

test('a host is drained: who is on it works on, nobody new comes, and its page says when it is empty', async ({ page, administrator, anna, browser, demo }) => {
  const host = (await administrator.call<{ items: View[] }>('GET', 'hosts')).items[0];
  const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
  const portal = new Portal(await context.newPage());
  await portal.signIn(anna);
  const calculator = await portal.open('Calculator');
  await calculator.connected();
  await expect.poll(() => administrator.sessions(anna.user_name)).toHaveLength(1);

  await page.goto(`/hosts/${host?.id}?tab=state`);
  try {
    await page.getByTestId('do-more').click();
    await page.getByTestId('do-message').click();
    await page.getByLabel('Text').fill('The host is drained now.');
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('outcomes')).toContainText(`${anna.user_name}, Calculator: done`);
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByTestId('do-more').click();
    await page.getByTestId('do-restart').click();
    await expect(page.getByRole('dialog')).toContainText('Sessions on it end');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByTestId('do-drain').click();
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('outcomes')).toContainText('done');
    await page.getByRole('button', { name: 'Close' }).last().click();
    await expect(page.getByTestId('draining')).toContainText('1 session is left');
    const refused = await portal.open('Text Editor');
    await refused.ended('refused');
    await refused.page.close();
    await calculator.connected();

    const [session] = await administrator.sessions(anna.user_name);
    await administrator.call('POST', `sessions/${session?.id}/log-off`);
    await expect(page.getByTestId('draining')).toContainText('it is empty', { timeout: 60_000 });
  } finally {
    await administrator.call('POST', `hosts/${host?.id}/logon-mode`, { logon_mode: 'enabled' });
  }
  await expect(page.getByTestId('draining')).toHaveCount(0);
  await context.close();
});
