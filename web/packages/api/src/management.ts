/**
 * A client of the management API, for the management portal. Its types are generated from the API's own
 * document. Every failure becomes a `Refusal`, with the server's words. It keeps nothing: the sign-in lives in
 * a cookie that scripts cannot read.
 */
import { ApiProblem, readProblem, unreachable } from './problem.ts';
import type { ChangedField, Problem } from './management.gen.ts';

export type * from './management.gen.ts';
export { ApiProblem };

export const MANAGEMENT = '/api/v1';

/** How long an answer may take; the broker gives up on a host after 30 s. */
const ANSWER_TIMEOUT_MS = 40_000;

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Call {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** The revision that a change is based on. */
  revision?: number;
  /** It goes on by itself: it keeps nobody signed in. */
  background?: boolean;
}

/** What the server says is English; a page may have it said in its own language. */
let translated = (sentence: string): string => sentence;

/** Has the sentences of refusals go through `translate` from now on. */
export function sayRefusalsWith(translate: (sentence: string) => string): void {
  translated = translate;
}

/** A refusal or failure of the management API. */
export class Refusal extends ApiProblem {
  readonly title: string;
  /** `stale` and `changed_since`: what others have changed in the meantime. */
  readonly changes: ChangedField[];
  /** `stale`: the revision that holds now. */
  readonly revision: number | null;
  readonly changedBy: string;

  constructor(problem: ApiProblem, facts: Partial<Problem>) {
    super({
      status: problem.status, code: problem.code, message: translated(problem.message), advice: translated(problem.advice),
      mistakes: problem.mistakes.map(({ field, message }) => ({ field, message: translated(message) })), retryAfterSecs: problem.retryAfterSecs,
    });
    this.title = typeof facts.title === 'string' ? translated(facts.title) : '';
    this.changes = Array.isArray(facts.changes) ? facts.changes : [];
    this.revision = typeof facts.revision === 'number' ? facts.revision : null;
    this.changedBy = typeof facts.changed_by === 'string' ? facts.changed_by : '';
  }
}

export async function call<T>(method: string, path: string, { query, body, signal, revision, background = method === 'GET' }: Call = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  // What only the portal's own pages can add to a request: it keeps other pages from using the cookie. Reading
  // goes on by itself and keeps nobody signed in.
  headers['x-oriel-request'] = background ? 'background' : 'portal';
  const isPlain = !(body instanceof Blob);
  if (body !== undefined) headers['content-type'] = isPlain ? 'application/json' : body.type;

  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(addressOf(path, { ...query, revision }), {
      method, headers, credentials: 'same-origin', cache: 'no-store',
      body: body === undefined ? null : isPlain ? JSON.stringify(body) : body,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw unreachable(cause);
  }
  if (!response.ok) throw await refusalOf(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    throw unreachable(cause);
  }
}

export const get = <T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> => call<T>('GET', path, { query, signal });
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>('POST', path, { body });

export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return `${MANAGEMENT}${path}${given.length > 0 ? `?${search}` : ''}`;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const copy = response.clone();
  const problem = await readProblem(response);
  let facts: unknown = null;
  try {
    facts = await copy.json();
  } catch {
    // A proxy's answer, for example: the status says what there is to say.
  }
  return new Refusal(problem, typeof facts === 'object' && facts !== null ? facts : {});
}
