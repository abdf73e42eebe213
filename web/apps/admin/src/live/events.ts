/**
 * What changes in the farm, as it changes: server-sent events feed the lists and objects that are shown. While
 * the connection is lost, the pages say so; when it is back, everything that is shown is loaded anew.
 */
import { addressOf, type ChangeShown, type ColleagueMessage, type Editing, type GatewayView, type HostView, type SessionView } from '@oriel/api/management';
import type { InfiniteData, QueryKey } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { pluralOf } from '../kinds.ts';
import { onMessage } from '../messages/inbox.ts';
import { onEditing } from '../object/editors.ts';
import { gone, queries, type Page } from '../queries.ts';
import { may, type Me } from '../sign-in/me.ts';
import { patched, patchedAll, type Changes } from './patch.ts';

/** Changes that come together are shown together. */
const GATHER_MS = 400;
/** Hosts and sessions of a large farm tell hundreds of things in a second: pages take them in so many times less. */
const TAKE_MS = 250;
/** How often lists are loaded anew because of rows that they do not have. */
const RELOAD_EVERY_MS = 5_000;
/** Who has read on further than this many pages is not made to load all of them again. */
const MOST_RELOADED = 5;
/** After this long without a connection the page says so: shorter ones are a browser's own doing. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 3_000;
/** Load is told all the time; what is drawn of it for the whole farm, and of pools, follows this often. */
const LOAD_EVERY_MS = 5_000;

export type Connection = 'live' | 'lost';

interface LoadEvent {
  id: string;
  now: { cpu_load: number | null; sessions: number; memory_total_bytes: number | null; memory_available_bytes: number | null } | null;
}

/** Which object was changed: what it says is asked for where it is shown. */
type ObjectEvent = Pick<ChangeShown, 'kind' | 'id' | 'action' | 'revision'>;

let connection: Connection = 'live';
let lostAt: number | null = null;
const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useConnection = (): Connection => useSyncExternalStore(subscribe, () => connection);
/** Since when what is shown may be old. */
export const useLostAt = (): number | null => useSyncExternalStore(subscribe, () => lostAt);
const waiting = new Map<string, QueryKey>();
let gathering: number | undefined;

/** Has what is shown of these loaded anew, soon and once. */
function refresh(...keys: QueryKey[]): void {
  for (const key of keys) waiting.set(JSON.stringify(key), key);
  gathering ??= window.setTimeout(() => {
    gathering = undefined;
    const due = [...waiting.values()];
    waiting.clear();
    for (const queryKey of due) void queries.invalidateQueries({ queryKey });
  }, GATHER_MS);
}

let loadDue: number | undefined;

function refreshLoad(): void {
  loadDue ??= window.setTimeout(() => {
    loadDue = undefined;
    void queries.invalidateQueries({ queryKey: ['load', 'now'] });
    // What pools show is that of their hosts; where only their names are shown, nothing is loaded anew.
    void queries.invalidateQueries({ queryKey: ['list', 'pools'], predicate: ({ queryKey }) => queryKey[2] !== 'all' });
    void queries.invalidateQueries({ queryKey: ['object', 'pools'] });
  }, LOAD_EVERY_MS);
}

const reloads = new Map<string, { last: number; due: number | undefined }>();

/** Has lists that may have gained or lost rows loaded anew: soon at first, then now and then. */
function reload(path: string): void {
  const known = reloads.get(path) ?? { last: -RELOAD_EVERY_MS, due: undefined };
  reloads.set(path, known);
  known.due ??= window.setTimeout(() => {
    known.due = undefined;
    known.last = performance.now();
    void queries.invalidateQueries({
      queryKey: ['list', path],
      predicate: ({ state }) => ((state.data as Partial<InfiniteData<unknown>> | undefined)?.pages?.length ?? 0) <= MOST_RELOADED,
    });
    void queries.invalidateQueries({ queryKey: ['status'] });
  }, Math.max(GATHER_MS, known.last + RELOAD_EVERY_MS - performance.now()));
}

function onObject({ kind, id, action }: ObjectEvent): void {
  // What was told before is taken in before: a deleted host is not to come back by its last report.
  takeIn();
  const plural = pluralOf(kind);
  if (action === 'deleted') gone(plural, id);
  else refresh(['object', plural, id], ['name', kind, id]);
  refresh(['list', plural], ['changes'], ['entries'], ['status']);
}

/** What has been told and is not taken in yet: of each thing only what it is now. */
const told = { sessions: new Map<string, SessionView | null>(), hosts: new Map<string, HostView | null>(), gateways: new Map<string, GatewayView | null>(), load: new Map<string, LoadEvent['now']>() };
let taking: number | undefined;

function tellLater<T>(changes: Map<string, T>, { id, now }: { id: string; now: T }): void {
  changes.set(id, now);
  taking ??= window.setTimeout(takeIn, TAKE_MS);
}

function takeIn(): void {
  window.clearTimeout(taking);
  taking = undefined;
  const { sessions, hosts, gateways, load } = told;
  if (sessions.size > 0) {
    onRows('sessions', sessions);
    refresh(['entries']);
    refreshLoad();
  }
  if (hosts.size > 0) onRows('hosts', hosts);
  if (gateways.size > 0) onGateways(gateways);
  if (load.size > 0) onLoad(load);
  for (const changes of [sessions, hosts, gateways, load]) changes.clear();
}

/** Rows as they are now, in every list and page that has them; gives those that lists had. */
function patch<Row extends { id: string }>(path: string, changes: Changes<Row>): Map<string, Row> {
  const known = new Map<string, Row>();
  queries.setQueriesData<InfiniteData<Page<Row>> | Row[]>({ queryKey: ['list', path] }, (data) => {
    if (data === undefined) return data;
    for (const { items } of Array.isArray(data) ? [{ items: data }] : data.pages) for (const row of items) if (changes.has(row.id)) known.set(row.id, row);
    return Array.isArray(data) ? patchedAll(data, changes) : patched(data, changes);
  });
  for (const [id, now] of changes) {
    if (now === null) gone(path, id);
    else if (queries.getQueryData(['object', path, id]) !== undefined) queries.setQueryData(['object', path, id], now);
  }
  return known;
}

const isThere = (row: unknown): boolean | undefined => (row as { state?: { reachable?: boolean } }).state?.reachable;

/** The same; lists that may gain or lose one are loaded anew. */
function onRows<Row extends { id: string }>(path: string, changes: Changes<Row>): void {
  const known = patch(path, changes);
  for (const [id, now] of changes) {
    const before = known.get(id);
    if (before === undefined || now === null || isThere(before) !== isThere(now)) reload(path);
  }
}

/** Which gateways were there when they were last told of. */
const areThere = new Map<string, boolean>();

/** Each is told of every few seconds: lists are loaded anew only where one has come or gone. */
function onGateways(changes: Changes<GatewayView>): void {
  patch('gateways', changes);
  for (const [id, now] of changes) {
    if (areThere.get(id) !== now?.state.reachable) reload('gateways');
    if (now === null) areThere.delete(id);
    else areThere.set(id, now.state.reachable);
  }
}

function withLoad(host: HostView, { cpu_load, sessions, memory_total_bytes, memory_available_bytes }: NonNullable<LoadEvent['now']>): HostView {
  return { ...host, state: { ...host.state, cpu_load, sessions, memory_total_bytes, memory_available_bytes } as HostView['state'] };
}

function onLoad(changes: ReadonlyMap<string, LoadEvent['now']>): void {
  refreshLoad();
  for (const [id, now] of changes) {
    if (now === null) continue;
    queries.setQueryData<HostView>(['object', 'hosts', id], (host) => host && withLoad(host, now));
  }
  queries.setQueriesData<InfiniteData<Page<HostView>>>({ queryKey: ['list', 'hosts'] }, (data) => {
    if (data === undefined || !('pages' in data)) return data;
    const rows = new Map<string, HostView>();
    for (const host of data.pages.flatMap((page) => page.items)) {
      const now = changes.get(host.id);
      if (now && host.state) rows.set(host.id, withLoad(host, now));
    }
    return patched(data, rows);
  });
}

/** Listens for as long as the page is open, to what who is signed in may see. */
export function useEvents(me: Me): void {
  const topics = [
    'objects',
    may(me, 'sessions') && 'sessions',
    may(me, 'hosts') && 'hosts,load',
    may(me, 'infrastructure') && 'gateways',
    'messages,editing',
  ].filter(Boolean).join(',');

  useEffect(() => listen(topics), [topics]);
}

function listen(topics: string): () => void {
  let source: EventSource | undefined;
  let retry: number | undefined;
  let patience: number | undefined;
  let over = false;

  const lost = () => {
    patience ??= window.setTimeout(() => {
      connection = 'lost';
      lostAt ??= Date.now();
      tell();
    }, PATIENCE_MS);
  };
  const found = () => {
    window.clearTimeout(patience);
    patience = undefined;
    if (connection === 'lost') void queries.invalidateQueries();
    connection = 'live';
    lostAt = null;
    tell();
  };
  const open = () => {
    source = new EventSource(addressOf('/events', { topics }));
    const on = <T>(name: string, take: (data: T) => void) =>
      source?.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as T));
    on('ready', found);
    on('reset', () => void queries.invalidateQueries());
    on('objects', onObject);
    on<{ id: string; now: SessionView | null }>('sessions', (event) => tellLater(told.sessions, event));
    on<{ id: string; now: HostView | null }>('hosts', (event) => tellLater(told.hosts, event));
    on<{ id: string; now: GatewayView | null }>('gateways', (event) => tellLater(told.gateways, event));
    on<{ id: string; now: ColleagueMessage | null }>('messages', ({ id, now }) => onMessage(id, now));
    on<{ id: string; now: Editing | null }>('editing', ({ id, now }) => onEditing(id, now));
    on<LoadEvent>('load', (event) => tellLater(told.load, event));
    source.onerror = () => {
      lost();
      // A browser tries again by itself unless the answer was a refusal.
      if (source?.readyState !== EventSource.CLOSED || over) return;
      window.clearTimeout(retry);
      retry = window.setTimeout(open, RETRY_MS);
    };
  };
  open();
  return () => {
    over = true;
    source?.close();
    takeIn();
    window.clearTimeout(retry);
    window.clearTimeout(patience);
  };
}
