// A development aid, not part of the product: serves the built portal with the gateway's headers
// and a portal API of made-up answers, to look at pages without a farm.
//   npm run build && npm run mock    (PORT=8790)
// Sign in as alice (has programs), empty (has none), slow, or ruled (under a policy, with hours that end
// soon); any password but "wrong".
// Session pages get answers by resource: see `launch`. There is no picture behind them.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const DIST = join(import.meta.dirname, '../dist');
const PORT = Number(process.env.PORT ?? 8790);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm' };
const CSP =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

const hour = 3_600_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();
const icon = (id) => `/api/portal/v1/icons/${id}.svg`;
const resource = (id, name, facts = {}) => ({
  id, name, description: '', kind: 'application', folder: null, order: 0, icon_url: icon(id), status: 'enabled', maintenance_message: null, url: null, start_at_sign_in: false, ...facts,
});
const RESOURCES = [
  resource('office', 'Office', { kind: 'folder', icon_url: null, description: 'What everybody writes and reckons with.' }),
  resource('tools', 'Tools', { kind: 'folder', icon_url: null, order: 1 }),
  resource('desk', 'Desktop', { kind: 'desktop', icon_url: null, description: 'A whole Linux desktop' }),
  resource('terminal', 'Terminal', { description: 'Command line' }),
  resource('editor', 'Text Editor', { folder: 'office', description: 'Write plain text' }),
  resource('calc', 'Calculator', { folder: 'office' }),
  resource('draw', 'Draw', { folder: 'office', status: 'maintenance', maintenance_message: 'Version 7 is being installed until 14:00.' }),
  resource('files', 'File Manager', { folder: 'tools', description: 'Your files on the farm' }),
  resource('agenda', 'Agenda', { kind: 'document', icon_url: null, description: 'Who says what, and when' }),
  resource('wiki', 'Wiki', { kind: 'web_application', icon_url: null, url: 'https://wiki.example/' }),
  resource('share', 'Projects', { kind: 'network_folder', icon_url: null, description: 'Everybody’s folder' }),
  resource('cad', 'CAD on your own PC', { kind: 'local_application', icon_url: null }),
  resource('crm', 'Customer Relationship Management 2026', { description: 'Kunden, Angebote, Verträge' }),
];
const SESSIONS = [
  { id: 's1', resource_id: 'editor', resource_name: 'Text Editor', icon_url: icon('editor'), host_name: 'host-1', state: 'disconnected', started_at: ago(2 * hour), idle_secs: 900, programs: ['mousepad'], shared: false, desktop: false },
  { id: 's2', resource_id: 'desk', resource_name: 'Desktop', icon_url: null, host_name: 'host-2', state: 'active', started_at: ago(5 * 60_000), idle_secs: 3, programs: ['xterm', 'thunar', 'gimp'], shared: false, desktop: true },
];
const POLICY = {
  name: 'Front office',
  settings: {
    clipboard: { direction: 'to_session', kinds: ['text', 'html'], max_kib: 1024 },
    keyboard: { layout: 'de-DE', system_keys: false },
    connection: { reconnect: true, reconnect_minutes: 5, max_minutes: 480 },
    network: { quality: 'slow', max_kbits: 4000 },
    options: { toolbar: true, session_list: false, sign_out_minutes: 30 },
  },
};
const soon = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
const RULED = {
  policy: POLICY,
  hours: { is_open: true, until: soon(8), warn_at: soon(-2), may_extend_until: soon(68), shows_list: true, disconnects: true, message: '' },
  sign_out_minutes: 30,
};
let favourites = ['terminal'];
let sessions = [...SESSIONS];
const COLOURS = ['#166970', '#b66b05', '#7a3e9d', '#2b6cb0', '#a83246', '#4a7c3a'];

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  const json = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
  };
  const problem = (status, code, message = '', headers = {}) => json(status, { code, message, advice: '' }, headers);
  const user = /oriel-mock=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const me = { user: { id: 'u1', name: user, full_name: user === 'alice' ? 'Alice Aalto' : '' }, farm_name: 'Bayview Works', sign_in_expires_at: new Date(Date.now() + hour).toISOString(), policy: null, hours: null, sign_out_minutes: null, ...(user === 'ruled' ? RULED : {}) };

  if (!url.pathname.startsWith('/api/')) return file(url.pathname, request, response);
  const path = url.pathname.replace('/api/portal/v1', '');
  const [, first, id, last] = path.split('/');
  const body = request.method === 'GET' ? {} : await read(request);
  if (first === 'icons') {
    const name = id.split('.')[0];
    response.writeHead(200, { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=31536000, immutable' });
    const colour = COLOURS[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % COLOURS.length];
    return response.end(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="10" fill="${colour}"/><text x="24" y="33" font-size="26" font-family="sans-serif" text-anchor="middle" fill="#fff">${name[0].toUpperCase()}</text></svg>`);
  }
  if (request.method !== 'GET' && request.headers['oriel-request'] !== '1') return problem(403, 'csrf');
  if (first === 'sign-in' && request.method === 'GET') return json(200, { me: user ? me : null });
  if (first === 'sign-in') {
    await new Promise((done) => setTimeout(done, body.user_name === 'slow' ? 3000 : 200));
    if (body.password === 'wrong') return problem(401, 'sign_in_refused');
    return json(200, { ...me, ...(body.user_name === 'ruled' ? RULED : {}), user: { ...me.user, name: body.user_name, full_name: 'Alice Aalto' } }, { 'set-cookie': `oriel-mock=${body.user_name}; Path=/; HttpOnly; SameSite=Strict` });
  }
  if (!user) return problem(401, 'signed_out');
  if (first === 'sign-out') return json(204, undefined, { 'set-cookie': 'oriel-mock=; Path=/; Max-Age=0' });
  if (first === 'resources') {
    const mine = user === 'empty' ? [] : RESOURCES;
    return json(200, { resources: mine, favourites, recent: [{ id: 'editor', at: ago(hour) }, { id: 'calc', at: ago(2 * hour) }] });
  }
  if (first === 'favourites') {
    favourites = favourites.filter((each) => each !== id).concat(request.method === 'PUT' ? [id] : []);
    return json(204);
  }
  if (first === 'sessions' && last === 'log-off') {
    sessions = sessions.map((each) => (each.id === id ? { ...each, state: 'ending' } : each));
    setTimeout(() => (sessions = sessions.filter((each) => each.id !== id)), 5000);
    return json(204);
  }
  if (first === 'sessions') return json(200, { sessions: user === 'empty' ? [] : sessions });
  if (first === 'launches') return launch(body, json, problem);
  if (first === 'connections') {
    const reason = { crm: 'reset', calc: 'network_lost', files: 'right_withdrawn' }[id] ?? 'logged_off';
    return json(200, { ended: true, reason, message: 'The administrator wrote: a new version is being installed.', session_running: reason === 'network_lost' });
  }
  problem(404, 'not_found');
});

function launch(body, json, problem) {
  const id = body.resource_id ?? sessions.find((each) => each.id === body.session_id)?.resource_id ?? body.session_id?.replace('new-', '');
  if (body.session_id === 'gone') return problem(404, 'session_gone');
  if (id === 'terminal') return problem(503, 'no_host', 'All 3 hosts of pool Office are draining.');
  if (id === 'desk') return; // never answers
  const found = RESOURCES.find((each) => each.id === id) ?? RESOURCES[4];
  json(201, {
    connection_id: found.id, session_id: body.session_id ?? `new-${found.id}`, resource_id: found.id, resource_name: found.name, icon_url: found.icon_url, host_name: 'host-1',
    reconnected: false, ticket: 'mock', ticket_expires_at: ago(-60_000), channels: { clipboard: true, drives: false, audio: false, printers: false }, dynamic_resize: false, policy: null, size: { as: 'client' }, routes: [],
  });
}

async function file(path, request, response) {
  const name = path === '/' || path === '/session' ? '/index.html' : normalize(path);
  const encoding = ['br', 'gzip'].find((each) => request.headers['accept-encoding']?.includes(each));
  const headers = { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'cache-control': name.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache' };
  try {
    const packed = encoding && (await readFile(join(DIST, `${name}.${encoding === 'br' ? 'br' : 'gz'}`)).catch(() => null));
    const content = packed ?? (await readFile(join(DIST, name)));
    response.writeHead(200, packed ? { ...headers, 'content-encoding': encoding } : headers);
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? {} : JSON.parse(text);
}

server.listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}`));
