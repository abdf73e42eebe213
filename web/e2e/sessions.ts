/** Sessions as the broker would tell them, for pages that are looked at without any. */
import type { Page } from '@playwright/test';

const idOf = (number: number): string => `01a1fcc6-e943-777e-91b2-${String(number).padStart(12, '0')}`;

/** What matters of a session to a test; the rest is as usual. */
export interface Told {
  user_name: string;
  idle_secs?: number;
  kbits_to_client?: number;
}

/** Has the broker tell of these sessions, and do to them what it is asked; gives what was asked. */
export async function tellOfSessions(page: Page, told: readonly Told[]): Promise<string[]> {
  const now = Date.now();
  const asked: string[] = [];
  const items = told.map(({ user_name, idle_secs = 0, kbits_to_client }, index) => ({
    id: idOf(index), user: null, user_name, account: user_name, host: idOf(99), host_name: 'h1', resource: null, resource_name: 'Editor', state: 'active',
    started_at: new Date(now - 3_600_000).toISOString(), idle_secs, last_input_at: new Date(now - idle_secs * 1_000).toISOString(), left_at: null, desktop: false, shared: false,
    programs: [], gateway: null, gateway_name: '',
    connection: kbits_to_client === undefined ? null : { id: idOf(50), opened_at: new Date(now).toISOString(), round_trip_ms: 12, kbits_to_client, kbits_to_host: 3, bytes_to_client: 1, bytes_to_host: 1 }, logon: null, client: { name: 'laptop', address: '192.0.2.1', kind: 'browser', version: '', operating_system: '' },
    severity: { idle: 'normal', disconnected: 'normal', round_trip: 'normal', logon: 'normal' },
  }));
  await page.route('**/api/v1/sessions?*', (route) => route.fulfill({ json: { items, next: null, total: items.length } }));
  await page.route('**/api/v1/sessions/*', (route) => route.fulfill({ json: items.find(({ id }) => route.request().url().endsWith(id)) }));
  await page.route(`**/api/v1/hosts/${idOf(99)}*`, (route) => route.fulfill({ json: { id: idOf(99), name: 'h1' } }));
  await page.route('**/api/v1/sessions/*/*', (route) => {
    const [session = '', what = ''] = new URL(route.request().url()).pathname.split('/').slice(-2);
    if (route.request().method() === 'GET') return route.fulfill({ json: { processes: [] } });
    asked.push(`${what} ${items.find(({ id }) => id === session)?.user_name}`);
    return route.fulfill({ status: 204 });
  });
  return asked;
}
