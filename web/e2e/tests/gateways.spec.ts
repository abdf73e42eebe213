import { chromium, type BrowserContext, type Page } from '@playwright/test';
import { Portal, complaintsIn, expect, picture, type Administrator } from '../farm.ts';
import { SecondGateway, keyOf } from '../gateway.ts';
import { test as base } from '../made.ts';
import config from '../playwright.config.ts';
import { programOf } from '../services.ts';

const NEAR = 'near';

/** The editor opens through a second gateway, if the browser lets it. */
const test = base.extend<{ near: SecondGateway }>({
  near: async ({ demo, administrator, request, made }, use) => {
    const { items } = await administrator.call<{ items: { name: string }[] }>('GET', 'gateways');
    for (const { name } of items) {
      await made.change('gateways', name, (spec) => ({ ...spec, public_address: new URL(demo.portal).host }));
    }
    const program = programOf(demo);
    const near = await SecondGateway.join(program, administrator, NEAR);
    try {
      made.atTheEnd(() => made.remove('gateways', near.id));
      await made.change('gateways', NEAR, (spec) => ({ ...spec, public_address: near.address }));
      await made.change('resources', 'Text Editor', (spec) => ({ ...spec, routes: [{ by: 'gateway', gateway: near.id }] }));
      await use(near);
    } finally {
      await near.remove();
    }
  },
});

// A gateway joins the farm and is waited for when it is gone, besides the session.
test.describe.configure({ timeout: 180_000 });

/**
 * A browser for the portal that trusts these addresses' certificates and no others: as if their users had let the
 * warnings pass, or their organisation had signed them.
 */
async function trusting(portal: string, addresses: string[], work: (context: BrowserContext) => Promise<void>): Promise<void> {
  const keys = await Promise.all(addresses.map(keyOf));
  const { args = [], ...rest } = config.use?.launchOptions ?? {};
  const browser = await chromium.launch({ ...rest, args: [...args, `--ignore-certificate-errors-spki-list=${keys.join()}`] });
  try {
    const context = await browser.newContext({ baseURL: portal, ignoreHTTPSErrors: false });
    // A violation of the pages' own policy is one of the complaints that are not about the network.
    const complaints = complaintsIn(context, true);
    await work(context);
    expect(complaints, 'the console of the pages').toEqual([]);
  } finally {
    await browser.close();
  }
}

/** Where the page's WebSockets lead, in their order. */
function socketsOf(context: BrowserContext): string[] {
  const addresses: string[] = [];
  context.on('page', (page: Page) => page.on('websocket', (socket) => addresses.push(new URL(socket.url()).host)));
  return addresses;
}

const gatewayOf = async (administrator: Administrator, user: string) =>
  (await administrator.sessions(user)).map(({ state, gateway_name }) => [state, gateway_name]);

test('a program opens through the gateway that it prefers, and goes on through the other when that one is gone', async ({ demo, near, anna, administrator }) => {
  const own = new URL(demo.portal).host;
  await trusting(demo.portal, [own, near.address], async (context) => {
    const sockets = socketsOf(context);
    const portal = new Portal(await context.newPage());
    await portal.signIn(anna);
    const editor = await portal.open('Text Editor');
    await editor.ready();
    expect(sockets).toEqual([near.address]);
    await expect.poll(() => gatewayOf(administrator, anna.user_name)).toEqual([['active', NEAR]]);
    await editor.see('the line', () => editor.type('by the short way'), 0.0005);

    await near.kill();
    await expect(editor.root, 'the page comes back by itself').toHaveAttribute('data-state', 'reconnecting');
    await picture(editor.page, 'session-preferred-gateway-gone');
    await editor.settled();
    expect(sockets.at(-1)).toBe(own);
    await expect.poll(async () => (await gatewayOf(administrator, anna.user_name))[0]?.[0]).toBe('active');
    await expect.poll(async () => (await gatewayOf(administrator, anna.user_name))[0]?.[1]).not.toBe(NEAR);
    await editor.save(anna, 'by the short way');
  });
});

test('a gateway whose certificate the browser does not trust is passed by', async ({ demo, near, anna, administrator }) => {
  const own = new URL(demo.portal).host;
  await trusting(demo.portal, [own], async (context) => {
    const sockets = socketsOf(context);
    const portal = new Portal(await context.newPage());
    await portal.signIn(anna);
    await (await portal.open('Text Editor')).ready();
    expect(sockets).toEqual([near.address, own]);
    const [[state, gateway] = []] = await gatewayOf(administrator, anna.user_name);
    expect(state).toBe('active');
    expect(gateway).not.toBe(NEAR);
  });
});
