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
import { found, patched, patchedAll } from './patch.ts';

/** Changes that come together are shown together. */
const GATHER_MS = 400;
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

function onObject({ kind, id, action }: ObjectEvent): void {
  const plural = pluralOf(kind);
  if (action === 'deleted') gone(plural, id);
  else refresh(['object', plural, id], ['name', kind, id]);
  refresh(['list', plural], ['changes'], ['entries'], ['status']);
}

/** A row as it is now, in every list that has it; gives what it was; undefined: none has it. */
function patch<Row extends { id: string }>(path: string, id: string, now: Row | null): Row | undefined {
  let before: Row | undefined;
  queries.setQueriesData<InfiniteData<Page<Row>> | Row[]>({ queryKey: ['list', path] }, (data) => {
    if (data === undefined) return data;
    before ??= found(data, id);
    return Array.isArray(data) ? patchedAll(data, id, now) : patched(data, id, now);
  });
  return before;
}

const isThere = (row: unknown): boolean | undefined => (row as { state?: { reachable?: boolean } }).state?.reachable;

/** The same; lists that may gain or lose it are loaded anew. */
function onRow<Row extends { id: string }>(path: string, id: string, now: Row | null): void {
  const before = patch(path, id, now);
  if (before === undefined || now === null || isThere(before) !== isThere(now)) refresh(['list', path], ['status']);
  if (now === null) gone(path, id);
  else if (queries.getQueryData(['object', path, id]) !== undefined) queries.setQueryData(['object', path, id], now);
}

/** Which gateways were there when they were last told of. */
const gateways = new Map<string, boolean>();

/** Each is told of every few seconds: lists are loaded anew only where they may gain or lose one. */
function onGateway(id: string, now: GatewayView | null): void {
  const hasTurned = gateways.get(id) !== now?.state.reachable;
  patch('gateways', id, now);
  if (now === null) {
    gateways.delete(id);
    gone('gateways', id);
  } else {
    gateways.set(id, now.state.reachable);
    queries.setQueryData<GatewayView>(['object', 'gateways', id], (known) => known && now);
  }
  if (hasTurned) refresh(['list', 'gateways'], ['status']);
}

function onLoad({ id, now }: LoadEvent): void {
  refreshLoad();
  if (now === null) return;
  const { cpu_load, sessions, memory_total_bytes, memory_available_bytes } = now;
  const withLoad = (host: HostView): HostView => ({
    ...host,
    state: { ...host.state, cpu_load, sessions, memory_total_bytes, memory_available_bytes } as HostView['state'],
  });
  queries.setQueriesData<InfiniteData<Page<HostView>>>({ queryKey: ['list', 'hosts'] }, (data) => {
    const row = data && 'pages' in data ? data.pages.flatMap((page) => page.items).find((host) => host.id === id) : undefined;
    return data && row?.state ? patched(data, id, withLoad(row)) : data;
  });
  queries.setQueryData<HostView>(['object', 'hosts', id], (host) => host && withLoad(host));
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
    on<{ id: string; now: SessionView | null }>('sessions', ({ id, now }) => {
      onRow('sessions', id, now);
      refresh(['entries']);
      refreshLoad();
    });
    on<{ id: string; now: HostView | null }>('hosts', ({ id, now }) => onRow('hosts', id, now));
    on<{ id: string; now: GatewayView | null }>('gateways', ({ id, now }) => onGateway(id, now));
    on<{ id: string; now: ColleagueMessage | null }>('messages', ({ id, now }) => onMessage(id, now));
    on<{ id: string; now: Editing | null }>('editing', ({ id, now }) => onEditing(id, now));
    on('load', onLoad);
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
    window.clearTimeout(retry);
    window.clearTimeout(patience);
  };
}
