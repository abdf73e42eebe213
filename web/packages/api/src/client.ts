/**
 * A typed client of the portal API. It adds the header that every change needs, and turns every
 * failure into an `ApiProblem`. It keeps nothing: the sign-in lives in a cookie that scripts
 * cannot read.
 */
import { readProblem, unreachable } from './problem.ts';
import type { ConnectionEnd, DeviceLaunch, Launch, LaunchRequest, Me, ResourceList, RunningSession, SignInRequest, Hours } from './types.ts';

export const BASE = '/api/portal/v1';

/** How long an answer may take. The broker itself gives up on a launch after 30 s. */
const ANSWER_TIMEOUT_MS = 40_000;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

async function request<T>(
  method: Method,
  path: string,
  options: { body?: unknown; signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  if (method !== 'GET') headers['oriel-request'] = '1';
  if (options.body !== undefined) headers['content-type'] = 'application/json';

  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw unreachable(cause);
  }
  if (!response.ok) throw await readProblem(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    throw unreachable(cause);
  }
}

const id = encodeURIComponent;

export const api = {
  signIn: (body: SignInRequest) => request<Me>('POST', '/sign-in', { body }),
  signOut: () => request<void>('POST', '/sign-out'),
  /** null: nobody is. That is no failure, so it is not answered like one. */
  whoIsSignedIn: async (signal?: AbortSignal): Promise<Me | null> =>
    (await request<{ me: Me | null }>('GET', '/sign-in', { signal })).me,
  resources: (signal?: AbortSignal) => request<ResourceList>('GET', '/resources', { signal }),
  addFavourite: (resource: string) => request<void>('PUT', `/favourites/${id(resource)}`),
  removeFavourite: (resource: string) => request<void>('DELETE', `/favourites/${id(resource)}`),
  launch: (body: LaunchRequest, signal?: AbortSignal) =>
    request<Launch | DeviceLaunch>('POST', '/launches', { body, signal }),
  sessions: async (signal?: AbortSignal): Promise<RunningSession[]> =>
    (await request<{ sessions: RunningSession[] }>('GET', '/sessions', { signal })).sessions,
  logOff: (session: string) => request<void>('POST', `/sessions/${id(session)}/log-off`),
  disconnect: (session: string) => request<void>('POST', `/sessions/${id(session)}/disconnect`),
  /** Puts off the end of the logon hours, as far as that is allowed. */
  extendHours: () => request<Hours>('POST', '/hours/extend'),
  connectionEnd: (connection: string, waitSecs: number, signal?: AbortSignal) =>
    request<ConnectionEnd>('GET', `/connections/${id(connection)}/end?wait=${waitSecs}`, { signal }),
};
