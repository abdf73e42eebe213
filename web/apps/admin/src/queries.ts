/** What the pages read from the farm, and how fresh it is kept. Events (live/) keep it newer than that. */
import { Refusal, call, get, type ChangeShown, type Entries, type EntryShown, type FarmStatus, type FirstStart, type KindView, type Me, type Query } from '@oriel/api/management';
import { MutationCache, QueryCache, QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';

const MAX_TRIES = 2;
/** Rows of a list that are fetched at a time. */
export const PAGE = 200;

/** null: nobody is signed in. */
export const signedIn = queryOptions({
  queryKey: ['me'] as const,
  queryFn: async ({ signal }): Promise<Me | null> => {
    return (await get<{ me: Me | null }>('/sign-in', {}, signal)).me;
  },
  staleTime: 60_000,
});

/** Whether nobody can sign in as root yet. */
export const firstStart = queryOptions({
  queryKey: ['first-start'] as const,
  queryFn: ({ signal }) => get<FirstStart>('/first-start', {}, signal),
  retry: false,
});

function onProblem(error: unknown): void {
  if (error instanceof Refusal && error.status === 401 && error.code !== 'sign_in_refused' && error.code !== 'code_needed' && error.code !== 'code_refused') {
    queries.setQueryData(signedIn.queryKey, null);
  }
}

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: onProblem }),
  mutationCache: new MutationCache({ onError: onProblem }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < MAX_TRIES && !(error instanceof Refusal && error.status >= 400 && error.status < 500),
      retryDelay: (attempt, error) =>
        error instanceof Refusal && error.retryAfterSecs !== null ? error.retryAfterSecs * 1000 : 500 * 2 ** attempt,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

/** Ends the own sign-in. */
export async function signOut(): Promise<void> {
  await call('DELETE', '/sign-in');
  // What was asked before the end would bring them back.
  await queries.cancelQueries({ queryKey: signedIn.queryKey });
  queries.setQueryData(signedIn.queryKey, null);
}

/** Forgets what is not shown any more: nothing of the last administrator may be left for the next one. */
export function forget(): void {
  queries.removeQueries({ type: 'inactive' });
}

export const kinds = queryOptions({
  queryKey: ['kinds'] as const,
  queryFn: async ({ signal }) => (await get<{ items: KindView[] }>('/kinds', {}, signal)).items,
  staleTime: Infinity,
});

export const status = queryOptions({
  queryKey: ['status'] as const,
  queryFn: ({ signal }) => get<FarmStatus>('/status', {}, signal),
  refetchInterval: 10_000,
});

/** Any settings object, as it is shown. */
export interface Shown {
  id: string;
  name: string;
  site?: string | null;
  revision: number;
  changed_at: string;
  changed_by: string;
  spec: Record<string, unknown>;
  origins?: Record<string, unknown>;
  effective?: Record<string, unknown>;
  state?: Record<string, unknown> | string;
}

export interface Page<Row> {
  items: Row[];
  next?: string | null;
  /** On the first page: how many fit on all pages together. */
  total?: number | null;
}

/** A list, a page at a time, filtered and sorted by the broker. */
export const list = <Row>(path: string, query: Query) =>
  infiniteQueryOptions({
    queryKey: ['list', path, query] as const,
    queryFn: ({ pageParam, signal }) => get<Page<Row>>(`/${path}`, { limit: PAGE, ...query, count: pageParam === null, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
  });

/** Everything of a kind of which there are few: pools, sites, groups, resources. */
export const all = <Row = Shown>(path: string, query: Query = {}) =>
  queryOptions({
    queryKey: ['list', path, 'all', query] as const,
    queryFn: async ({ signal }): Promise<Row[]> => {
      const rows: Row[] = [];
      let after: string | null = null;
      do {
        const page: Page<Row> = await get<Page<Row>>(`/${path}`, { limit: 1000, ...query, after }, signal);
        rows.push(...page.items);
        after = page.next ?? null;
      } while (after !== null);
      return rows;
    },
  });

/** One object; null when it is known to be gone. */
export const object = <View extends { id: string } = Shown>(path: string, id: string) =>
  queryOptions({
    queryKey: ['object', path, id] as const,
    queryFn: ({ signal }): Promise<View | null> => get<View>(`/${path}/${encodeURIComponent(id)}`, {}, signal),
  });

export interface ChangesPage {
  items: ChangeShown[];
  next?: number | null;
}

export const changes = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['changes', query] as const,
    queryFn: ({ pageParam, signal }) => get<ChangesPage>('/changes', { limit: 50, ...query, before: pageParam }, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
  });

/** Sign-ins and what people do come by no event. */
const LOG_EVERY_MS = 10_000;

export const entries = (query: Query) =>
  infiniteQueryOptions({
    queryKey: ['entries', query] as const,
    queryFn: ({ pageParam, signal }) => get<Entries>('/audit', { limit: 50, names: true, ...query, before: pageParam }, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: keepPreviousData,
    // Who reads on further down is not made to load all of it again.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : LOG_EVERY_MS),
  });

/** One entry; null: there is none, or it may not be seen. */
export const entry = (number: number) =>
  queryOptions({
    queryKey: ['entries', 'one', number] as const,
    queryFn: async ({ signal }): Promise<EntryShown | null> =>
      (await get<Entries>('/audit', { after: number - 1, limit: 1, names: true }, signal)).items.find((each) => each.number === number) ?? null,
  });

export const useKinds = (): KindView[] => useQuery(kinds).data ?? [];

/** An object that is no more: its page says so, without asking for it again. */
export function gone(path: string, id: string): void {
  if (queries.getQueryData(['object', path, id]) !== undefined) queries.setQueryData(['object', path, id], null);
}

/** After a change of one's own: what is shown of the kind, its changes and the farm. */
export async function changed(path: string): Promise<void> {
  await Promise.all(
    [['list', path], ['object', path], ['changes'], ['entries'], ['status'], ['name']].map((queryKey) => queries.invalidateQueries({ queryKey })),
  );
}

export async function remove(path: string, id: string, revision: number): Promise<void> {
  await call('DELETE', `/${path}/${encodeURIComponent(id)}`, { revision });
  gone(path, id);
}
