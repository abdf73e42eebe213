import { readFileSync } from 'node:fs';
import { expect, test } from '../../admin.ts';

interface View {
  id: string;
  name: string;
  revision: number;
  spec: Record<string, unknown>;
}

interface Entry {
  number: number;
  code: string;
  change?: { sequence: number } | null;
}

/** The log keeps what earlier runs have done: names are of this run alone. */
const MARK = Date.now().toString(36);

test('what happened is found by what, who and text, and what was found stands in the address', async ({ page, administrator, make }) => {
  const { id } = await make('pools', { name: `Watched ${MARK}`, spec: { description: 'One' } });
  const { revision } = await administrator.call<View>('GET', `pools/${id}`);
  await administrator.call('PATCH', `pools/${id}?revision=${revision}`, { spec: { description: 'Two' } });
  await page.goto('/audit');
  // The test's own administrator has just signed in.
  await page.getByTestId('filters').click();
  await page.getByRole('combobox', { name: 'What', exact: true }).click();
  await page.getByRole('option', { name: 'administrator signed in' }).click();
  await expect(page).toHaveURL(/code=administrator\.signed_in/);
  const entries = page.getByTestId('entry');
  await expect(entries.first()).toContainText('· admin · by the portal');
  await expect(page.locator('[data-testid=entry]:not([data-code="administrator.signed_in"])')).toHaveCount(0);

  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByTestId('audit-search').fill(`watched ${MARK}`);
  await expect(entries).toHaveCount(2);
  await page.reload();
  await expect(entries).toHaveCount(2);
  await page.getByRole('button', { name: /^Filters/ }).click();
  await page.getByRole('combobox', { name: 'Through what' }).click();
  await page.getByRole('option', { name: 'by the portal' }).click();
  await expect(page.getByText('The log holds nothing of that kind.')).toBeVisible();
});

test('an entry has an address of its own, says what is different, and what it was done with is taken back as a whole', async ({ page, administrator }) => {
  const documents = ['Pair one', 'Pair two'].map((name) => ({ kind: 'pool', name, spec: { description: 'Together' } }));
  await administrator.call('POST', 'apply', { documents });
  const { items } = await administrator.call<{ items: Entry[] }>('GET', 'audit?text=pair%20two&limit=1');
  await page.goto(`/audit/${items[0]?.number}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Entry ${items[0]?.number}`);
  await expect(page.getByTestId('facts')).toContainText('settings.created');
  await expect(page.getByTestId('facts')).toContainText('token admin');
  await expect(page.getByRole('row').filter({ hasText: 'Description' })).toContainText('Together');
  await expect(page.getByTestId('entry')).toHaveCount(2);
  await page.getByTestId('revert-together').click();
  await expect(page.getByTestId('revert-plan')).toContainText('2 objects change');
  await page.getByTestId('revert-now').click();
  await expect(page.getByText('Taken back', { exact: true })).toBeVisible();
  expect((await administrator.call<{ items: View[] }>('GET', 'pools?name=Pair')).items).toEqual([]);
});

test.describe('what is no more', () => {
  test.use({ mayFail: true });

  test('is refused with the reason, and no entry is no page', async ({ page, administrator, make }) => {
    const { id } = await make('pools', { name: 'Changed twice', spec: { description: 'One' } });
    for (const description of ['Two', 'Three']) {
      const { revision } = await administrator.call<View>('GET', `pools/${id}`);
      await administrator.call('PATCH', `pools/${id}?revision=${revision}`, { spec: { description } });
    }
    const { items } = await administrator.call<{ items: Entry[] }>('GET', `audit?object=${id}`);
    await page.goto(`/audit/${items[1]?.number}`);
    await page.getByTestId('revert').click();
    await expect(page.getByTestId('revert-plan')).toContainText('Changed twice');
    await expect(page.getByTestId('revert-plan')).toContainText('token admin');
    await expect(page.getByTestId('revert-now')).toBeDisabled();
    // What a colleague does between the plan and the click is not taken back unseen.
    await page.goto(`/audit/${items[0]?.number}`);
    await page.getByTestId('revert').click();
    await expect(page.getByTestId('revert-now')).toBeEnabled();
    const { revision } = await administrator.call<View>('GET', `pools/${id}`);
    await administrator.call('PATCH', `pools/${id}?revision=${revision}`, { spec: { enabled: false } });
    await page.getByTestId('revert-now').click();
    await expect(page.getByText('It has been changed since')).toBeVisible();
    // The plan is made anew, and leaves alone what the colleague did.
    await page.getByTestId('revert-now').click();
    await expect(page.getByText('Taken back', { exact: true })).toBeVisible();
    expect((await administrator.call<View>('GET', `pools/${id}`)).spec).toMatchObject({ description: 'Two', enabled: false });
    await page.goto('/audit/999999999');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing here');
  });
});

test('the log is exported as it is filtered, a line of JSON for each entry, and its chain is checked', async ({ page, administrator, make }) => {
  const { id } = await make('groups', { name: `Exported ${MARK}`, spec: {} });
  await page.goto(`/audit?text=exported%20${MARK}`);
  await expect(page.getByTestId('entry')).toHaveCount(1);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export').click()]);
  expect(download.suggestedFilename()).toBe('oriel-log.jsonl');
  const lines = readFileSync(await download.path(), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Entry & { subjects: { id: string }[] });
  expect(lines.map(({ code, subjects }) => [code, subjects[0]?.id])).toEqual([['settings.created', id]]);

  await page.getByTestId('verify').click();
  await expect(page.getByTestId('verification')).toContainText('are as they were written');
  const told = await administrator.call<{ first: number; fault: unknown }>('GET', 'audit/verification');
  expect(told.fault).toBeNull();
  await expect(page.getByTestId('verification')).toContainText(`Entries ${told.first} to`);
});

test('the history of an object tells what happened with it, not only how it was changed', async ({ page, administrator, browser, demo, ben }) => {
  const user = (await administrator.call<{ items: View[] }>('GET', `users?name=${ben.user_name}`)).items[0];
  const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
  const refused = await context.newPage();
  await refused.goto('/');
  await refused.locator('input[name=username]').fill(ben.user_name);
  await refused.locator('input[name=password]').fill('not the password');
  await refused.locator('button[type=submit]').click();
  await expect(refused.getByRole('alert')).toBeVisible();
  await context.close();
  await page.goto(`/users/${user?.id}?tab=history`);
  const entry = page.locator('[data-testid=entry][data-code="user.sign_in_refused"]').first();
  await expect(entry).toContainText('sign-in refused');
  await expect(entry).toContainText('127.0.0.1');
});
