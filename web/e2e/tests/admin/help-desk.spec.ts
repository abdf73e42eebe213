import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import type { Account } from '../../demo.ts';
import { expectAccessible, looks, Portal } from '../../farm.ts';
import { expect, test } from '../../admin.ts';

interface Operations {
  paths: Record<string, Record<string, { operationId?: string; 'x-permission'?: { area: string | null; action: string } }>>;
}

/** As the kernel tells it (proc_pid_stat(5)): `T` is stopped. */
const stateOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').charAt(0);

/** What the management API answers to the page's own sign-in. */
const answerTo = (page: Page, method: string, path: string, body?: unknown): Promise<number> =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { 'x-oriel-request': 'portal', 'content-type': 'application/json' };
      return (await fetch(`/api/v1/${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) })).status;
    },
    [method, path, body] as const,
  );

test.describe('a help-desk member', () => {
  // Sessions that begin and end on a real host, and what is refused on purpose.
  test.use({ mayFail: true });
  test.describe.configure({ timeout: 240_000 });

  test('ends a program that hangs, for the users that they help, and can do nothing else', async ({ administrator, anna, ben, browser, colleague, demo }) => {
    const engineering = (await administrator.call<{ items: { id: string }[] }>('GET', 'groups?name=Engineering')).items[0]?.id ?? '';
    const opened = async (account: Account, program: string) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: demo.portal, locale: 'en-US' });
      const portal = new Portal(await context.newPage());
      await portal.signIn(account);
      const session = await (await portal.open(program)).connected();
      const [view] = await administrator.sessions(account.user_name);
      if (!view) throw new Error(`${account.user_name} has no session`);
      return { context, session, id: view.id };
    };
    const annas = await opened(anna, 'Calculator');
    const bens = await opened(ben, 'Terminal');
    await bens.session.settled();
    await bens.session.type('galculator');
    await bens.session.press('Enter');

    const dora = await colleague('dora', { role: 'help_desk', reach: { groups: [engineering] } }, true);
    const { page } = dora;
    await expect(page.getByRole('navigation', { name: 'Pages' }).getByRole('link')).toHaveText(['Dashboard', 'Sessions']);
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Sessions' }).click();
    await expect(page.getByTestId('row')).toHaveCount(1);
    await expect(page.getByTestId('row')).toContainText(ben.user_name);
    await expect(page.getByText(anna.user_name, { exact: true })).toHaveCount(0);
    await expectAccessible(page);
    await looks(page, 'admin-help-desk-sessions');
    await page.getByTestId('row').getByRole('link', { name: ben.user_name }).click();

    const hangs = async () => (await administrator.processes(bens.id)).find(({ name }) => name === 'galculator')?.process_id ?? 0;
    await expect.poll(hangs, { timeout: 60_000 }).not.toBe(0);
    // It reacts to nothing any more, not even to being asked to end.
    const hung = await hangs();
    process.kill(hung, 'SIGSTOP');
    await expect.poll(() => stateOf(hung)).toBe('T');

    const processes = page.getByTestId('processes');
    await expect(processes.getByRole('row').filter({ hasText: 'galculator' })).toContainText(String(hung));
    await expectAccessible(page);
    await looks(page, 'admin-help-desk-session');
    await processes.getByRole('row').filter({ hasText: String(hung) }).getByRole('button', { name: /^End / }).click();
    await page.getByTestId('confirm').click();
    await expect(page.getByText(/is ended$/)).toBeVisible();
    await expect(processes.getByRole('row').filter({ hasText: 'galculator' })).toHaveCount(0);
    // The session goes on with what else is open in it.
    await expect(processes.getByRole('row').filter({ hasText: 'lxterminal' })).not.toHaveCount(0);
    expect(await administrator.sessions(ben.user_name)).toMatchObject([{ id: bens.id, state: 'active' }]);
    await bens.session.see('the terminal takes keys again', () => bens.session.type('echo and so on and so on'), 0.0005);

    // Nothing else: neither is it offered, nor is it there for who asks the API.
    expect(await answerTo(page, 'GET', `sessions/${bens.id}`)).toBe(200);
    for (const [method, path, body] of [
      ['GET', `sessions/${annas.id}`], ['GET', `sessions/${annas.id}/processes`], ['POST', `sessions/${annas.id}/reset`],
      ['POST', `sessions/${annas.id}/message`, { title: 'Hm', text: 'Hm' }], ['POST', `sessions/${annas.id}/end-process`, { process_id: 1 }],
    ] as const) {
      expect([method, path, await answerTo(page, method, path, body)]).toEqual([method, path, 404]);
    }
    const { paths } = await administrator.call<Operations>('GET', 'openapi.json');
    const closed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { 'x-permission': needs }]) => needs !== undefined && needs.area !== null && needs.area !== 'sessions')
        .map(([method]) => [method.toUpperCase(), path.replace(/^\//, '').replaceAll(/\{[^}]+\}/g, engineering)] as const),
    );
    expect(closed.length).toBeGreaterThan(80);
    const open: string[] = [];
    for (const [method, path] of closed) {
      const status = await answerTo(page, method, path, method === 'GET' ? undefined : []);
      if (status !== 403) open.push(`${method} ${path}: ${status}`);
    }
    expect(open).toEqual([]);
    for (const path of ['/hosts', '/users', '/publishing', '/audit', '/signed-in', '/mailbox', '/administrators/new']) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 }), path).toHaveText('Nothing here');
    }
    expect(await administrator.sessions(anna.user_name)).toMatchObject([{ id: annas.id }]);

    // With its last program the session ends, and its user reads so.
    await page.goto(`/sessions/${bens.id}`);
    await processes.getByRole('row').filter({ hasText: 'lxterminal' }).getByRole('button', { name: /^End / }).first().click();
    await page.getByTestId('confirm').click();
    await expect.poll(() => administrator.sessions(ben.user_name), { timeout: 60_000 }).toEqual([]);
    await expect(bens.session.root).toHaveAttribute('data-state', 'ended');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('The session has ended');
    for (const { context } of [annas, bens]) await context.close();
  });
});
