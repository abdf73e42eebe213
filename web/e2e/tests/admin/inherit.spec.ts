import { expect, test } from '../../admin.ts';


test('a pool tells what it overrides of its site, and leads to where the rest is set', async ({ page, make }) => {
  const site = await make('sites', { name: 'Inherit from', spec: { host_defaults: { max_sessions: 41 }, balancing_defaults: {} } });
  const own = await make('pools', { name: 'Overrides', site: site.id, spec: { settings: { max_sessions: 7 } } });
  const heir = await make('pools', { name: 'Inherits', site: site.id, spec: {} });
  const row = page.locator('.values > *').filter({ hasText: 'Most sessions' });

  await page.goto(`/pools/${own.id}`);
  await expect(row).toContainText('instead of 41');
  await expect(row).toContainText('Set here');
  await page.goto(`/pools/${heir.id}`);
  await expect(row).toContainText('41');
  await row.getByRole('link', { name: 'From the site Inherit from' }).click();
  await expect(page).toHaveURL(new RegExp(`/sites/${site.id}#host_defaults$`));
  await expect(page.locator('#host_defaults')).toBeInViewport();
  await page.goto(`/pools/${heir.id}?edit=true`);
  await expect(page.getByRole('link', { name: 'From the site' }).first()).toHaveAttribute('href', `/sites/${site.id}#host_defaults`);
});
