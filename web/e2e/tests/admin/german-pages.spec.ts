import { expect, test } from '../../admin.ts';
import { inColour, picture, still } from '../../farm.ts';
import { PAGES } from '../../pages.ts';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'de-DE', contextOptions: { reducedMotion: 'reduce' } });
test.describe.configure({ timeout: 300_000 });

// A text that a catalogue lacks is complained of in the console, which fails the test.
test('every page speaks German and fits a phone, where its words are longest', async ({ page, administrator, make }) => {
  const pool = (await administrator.call<{ items: { id: string }[] }>('GET', 'pools')).items[0]?.id;
  await make('policies', { name: 'Zwischenablage', spec: {} });
  await make('logon_hours', { name: 'Bürozeit', spec: { open: [{ days: ['monday'], from: '08:00:00', to: '18:00:00' }], enabled: false } });
  await make('schedules', { name: 'Sonntags', spec: { starts_at: '2030-01-06T02:00:00', enabled: true, target: { of: 'pools', pools: [pool] }, action: { do: 'disable', duration_minutes: 60 } } });
  await make('directories', { name: 'Firma', spec: { enabled: false, kind: 'openldap', domain: 'firma.example', base_dn: 'dc=firma', servers: [{ host: 'ldap.firma.example' }], bind_name: 'cn=oriel,dc=firma' } });
  await make('notifications', { name: 'Host fehlt', spec: { event: 'host_away', enabled: false } });
  const wide: string[] = [];
  for (const [name, path, shows] of PAGES) {
    await page.goto(path);
    await expect(page.locator(shows).first(), path).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await still(page);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) wide.push(`${name} is ${over} px wider than the window`);
    await inColour(page, 'light');
    await picture(page, `admin-${name}-narrow-german`);
  }
  expect(wide).toEqual([]);
});
