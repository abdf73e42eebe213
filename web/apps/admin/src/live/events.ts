/**
 * What changes in the farm, as it changes: server-sent events feed the lists and objects that are shown. While
 * the connection is lost, the pages say so; when it is back, everything that is shown is loaded anew.
 */
import { addressOf, type ChangeShown, type ColleagueMessage, type Editing, type HostView, type SessionView } from '@oriel/api/management';
import type { InfiniteData, QueryKey } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { pluralOf } from '../kinds.ts';
import { onMessage } from '../messages/inbox.ts';
import { onEditing } from '../object/editors.ts';
import { gone, queries, type Page } from '../queries.ts';
import { may, type Me } from '../sign-in/me.ts';
import { patched, sampled, type Changes } from './patch.ts';

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
/** Load is told once a second at most: five minutes of it. */
const SAMPLES = 300;

export type Connection = 'live' | 'lost';

export interface Load {
  cpu: number[];
  sessions: number[];
}

interface LoadEvent {
  id: string;
  now: { cpu_load: number | null; sessions: number; memory_total_bytes: number | null; memory_available_bytes: number | null } | null;
}

/** Which object was changed: what it says is asked for where it is shown. */
type ObjectEvent = Pick<ChangeShown, 'kind' | 'id' | 'action' | 'revision'>;

let connection: Connection = 'live';
let lostAt: number | null = null;
const loads = new Map<string, Load>();
const NO_LOAD: Load = { cpu: [], sessions: [] };
const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useConnection = (): Connection => useSyncExternalStore(subscribe, () => connection);
/** Since when what is shown may be old. */
export const useLostAt = (): number | null => useSyncExternalStore(subscribe, () => lostAt);
/** The load of a host since this page was opened. */
export const useLoad = (host: string): Load => useSyncExternalStore(subscribe, () => loads.get(host) ?? NO_LOAD);

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
const told = { sessions: new Map<string, SessionView | null>(), hosts: new Map<string, HostView | null>(), load: new Map<string, LoadEvent['now']>() };
let taking: number | undefined;

function tellLater<T>(changes: Map<string, T>, { id, now }: { id: string; now: T }): void {
  changes.set(id, now);
  taking ??= window.setTimeout(takeIn, TAKE_MS);
}

function takeIn(): void {
  window.clearTimeout(taking);
  taking = undefined;
  const { sessions, hosts, load } = told;
  if (sessions.size > 0) {
    onRows('sessions', sessions);
    refresh(['entries']);
    refreshLoad();
  }
  if (hosts.size > 0) onRows('hosts', hosts);
  if (load.size > 0) onLoad(load);
  for (const changes of [sessions, hosts, load]) changes.clear();
}

/** Rows as they are now, in every list that has them. */
function onRows<Row extends { id: string }>(path: string, changes: Changes<Row>): void {
  const known = new Set<string>();
  queries.setQueriesData<InfiniteData<Page<Row>>>({ queryKey: ['list', path] }, (data) => {
    if (data === undefined || !('pages' in data)) return data;
    for (const page of data.pages) for (const { id } of page.items) if (changes.has(id)) known.add(id);
    return patched(data, changes);
  });
  for (const [id, now] of changes) {
    if (!known.has(id) || now === null) reload(path);
    if (now === null) gone(path, id);
    else if (queries.getQueryData(['object', path, id]) !== undefined) queries.setQueryData(['object', path, id], now);
  }
}

function withLoad(host: HostView, { cpu_load, sessions, memory_total_bytes, memory_available_bytes }: NonNullable<LoadEvent['now']>): HostView {
  return { ...host, state: { ...host.state, cpu_load, sessions, memory_total_bytes, memory_available_bytes } as HostView['state'] };
}

function onLoad(changes: ReadonlyMap<string, LoadEvent['now']>): void {
  refreshLoad();
  for (const [id, now] of changes) {
    if (now === null) {
      loads.delete(id);
      continue;
    }
    const before = loads.get(id) ?? NO_LOAD;
    loads.set(id, { cpu: sampled(before.cpu, now.cpu_load ?? 0, SAMPLES), sessions: sampled(before.sessions, now.sessions, SAMPLES) });
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
  tell();
}

/** Listens for as long as the page is open, to what who is signed in may see. */
export function useEvents(me: Me): void {
  const topics = [
    'objects',
    may(me, 'sessions') && 'sessions',
    may(me, 'hosts') && 'hosts,load',
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
