import { expect, test } from '../../admin.ts';

interface View {
  spec: { enabled?: boolean };
}

test.describe('one of several is refused', () => {
  // A refusal is what is looked for.
  test.use({ mayFail: true });

  test('the others are done, and each says how it went', async ({ page, make }) => {
    const [first, used, last] = [await make('groups', { name: 'Bulk a', spec: {} }), await make('groups', { name: 'Bulk b', spec: {} }), await make('groups', { name: 'Bulk c', spec: {} })];
    await make('users', { name: 'bulk-member', spec: { groups: [used.id] } });
    await page.goto('/groups?q=Bulk');
    await expect(page.getByTestId('row')).toHaveCount(3);
    await page.getByRole('checkbox', { name: 'Choose all' }).click();
    await page.getByTestId('bulk-delete').click();
    await expect(page.getByRole('dialog').getByRole('listitem')).toHaveText([first.name, used.name, last.name]);
    await page.getByTestId('confirm').click();
    const outcomes = page.getByTestId('outcomes').getByRole('listitem');
    await expect(outcomes).toHaveText([`${first.name}: done`, new RegExp(`${used.name}: .*bulk-member`), `${last.name}: done`]);
    await page.getByRole('button', { name: 'Close' }).last().click();
    await expect(page.getByTestId('row')).toHaveText([new RegExp(used.name)]);
  });
});

test('several are disabled and enabled at once', async ({ page, make, administrator }) => {
  const policies = [await make('policies', { name: 'Switch a', spec: {} }), await make('policies', { name: 'Switch b', spec: {} })];
  const enabled = async () => {
    const views = await Promise.all(policies.map(({ id }) => administrator.call<View>('GET', `policies/${id}`)));
    return views.map(({ spec }) => spec.enabled);
  };
  await page.goto('/policies?q=Switch');
  for (const [does, now] of [['disable', false], ['enable', true]] as const) {
    await expect(page.getByTestId('row')).toHaveCount(2);
    await page.getByRole('checkbox', { name: 'Choose all' }).click();
    await page.getByTestId(`bulk-${does}`).click();
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('outcomes').getByText('done')).toHaveCount(2);
    expect(await enabled()).toEqual([now, now]);
    await page.getByRole('button', { name: 'Close' }).last().click();
  }
});

test('all of a list that is longer than what is loaded are chosen only on purpose', async ({ page }) => {
  const ROWS = 450;
  await page.route('**/api/v1/groups?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get('after') ?? 0);
    const count = Math.min(Number(query.get('limit')), ROWS - from);
    const items = Array.from({ length: count }, (_, index) => ({
      id: `01a1fcc6-e943-777e-91b2-${String(from + index).padStart(12, '0')}`, name: `group${from + index}`, site: null, revision: 1,
      changed_at: '2026-01-01T00:00:00Z', changed_by: 'test', spec: {},
    }));
    return route.fulfill({ json: { items, next: from + count < ROWS ? String(from + count) : null, total: ROWS } });
  });
  await page.goto('/groups');
  await page.getByRole('checkbox', { name: 'Choose all that are loaded' }).click();
  const bar = page.getByRole('group', { name: 'What to do with the chosen ones' }).or(page.getByLabel('What to do with the chosen ones')).first();
  await expect(bar).toContainText('200 chosen');
  await page.getByTestId('choose-all').click();
  await expect(bar).toContainText('450 chosen');
  await expect(page.getByRole('checkbox', { name: 'Choose all', exact: true })).toBeChecked();
});
