/** What the pages read from the farm, and how fresh it is kept. */
import { ApiProblem, api, type Me, type ResourceList } from '@oriel/api';
import { QueryCache, MutationCache, QueryClient, queryOptions } from '@tanstack/react-query';

/** How often the lists are read again while someone looks at them. */
const RESOURCES_EVERY_MS = 60_000;
const SESSIONS_EVERY_MS = 5_000;
/** What is ending is gone within seconds. */
const ENDING_EVERY_MS = 1_000;

const MAX_TRIES = 2;

/** Whether the page was signed in before the sign-in ended: then the sign-in page says so. */
let wasSignedIn = false;

export const signInHasEnded = (): boolean => wasSignedIn;

function onProblem(error: unknown): void {
  if (error instanceof ApiProblem && error.code === 'signed_out') {
    wasSignedIn ||= queries.getQueryData(me.queryKey) != null;
    queries.setQueryData(me.queryKey, null);
  }
}

export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: onProblem }),
  mutationCache: new MutationCache({ onError: onProblem }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < MAX_TRIES && !(error instanceof ApiProblem && error.status >= 400 && error.status < 500),
      retryDelay: (attempt, error) =>
        error instanceof ApiProblem && error.retryAfterSecs !== null ? error.retryAfterSecs * 1000 : 500 * 2 ** attempt,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

/** How often the page looks whether hours or policy have changed. */
const ME_EVERY_MS = 60_000;

/** null means: not signed in. */
export const me = queryOptions({
  queryKey: ['me'] as const,
  queryFn: async ({ signal }): Promise<Me | null> => {
    const found = await api.whoIsSignedIn(signal);
    if (found === null) wasSignedIn ||= queries.getQueryData<Me | null>(['me']) != null;
    return found;
  },
  staleTime: 60_000,
  refetchInterval: (query) => (query.state.data ? ME_EVERY_MS : false),
});

/** What holds is asked anew, and with it what may be seen. */
export function hoursHaveChanged(): void {
  void queries.invalidateQueries({ queryKey: me.queryKey });
  void queries.invalidateQueries({ queryKey: resources.queryKey });
}

export const resources = queryOptions({
  queryKey: ['resources'] as const,
  queryFn: ({ signal }) => api.resources(signal),
  refetchInterval: RESOURCES_EVERY_MS,
});

export const sessions = queryOptions({
  queryKey: ['sessions'] as const,
  queryFn: ({ signal }) => api.sessions(signal),
  staleTime: 1_000,
  refetchInterval: (query) =>
    query.state.data?.some((session) => session.state === 'ending') ? ENDING_EVERY_MS : SESSIONS_EVERY_MS,
});

/** Whether somebody has signed in on this page and nothing has come of it yet. */
let isFreshSignIn = false;

/** True once after each sign-in. */
export function takeFreshSignIn(): boolean {
  const isFresh = isFreshSignIn;
  isFreshSignIn = false;
  return isFresh;
}

export function signedIn(user: Me): void {
  wasSignedIn = false;
  isFreshSignIn = true;
  queries.setQueryData(me.queryKey, user);
}

/** Nothing of the last user may be left for the next one. `by`: whether they wished it, or were away too long. */
export function signedOut(by: 'wish' | 'idling' = 'wish'): void {
  wasSignedIn = by === 'idling';
  isFreshSignIn = false;
  queries.clear();
  queries.setQueryData(me.queryKey, null);
}

/** Marks or unmarks at once; puts it back if the farm refuses. */
export async function setFavourite(id: string, on: boolean): Promise<void> {
  const mark = (list: ResourceList | undefined, marked: boolean): ResourceList | undefined =>
    list && { ...list, favourites: [...list.favourites.filter((each) => each !== id), ...(marked ? [id] : [])] };
  await queries.cancelQueries(resources);
  queries.setQueryData(resources.queryKey, (list) => mark(list, on));
  try {
    await (on ? api.addFavourite(id) : api.removeFavourite(id));
  } catch (error) {
    queries.setQueryData(resources.queryKey, (list) => mark(list, !on));
    onProblem(error);
    throw error;
  }
}
