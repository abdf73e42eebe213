import type { Mistake, ProblemCode } from './types.ts';

/** A refusal or failure of the portal API, always with words for the user. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: ProblemCode | (string & {});
  readonly advice: string;
  readonly mistakes: Mistake[];
  /** Seconds to wait before the next try, where the server said so. */
  readonly retryAfterSecs: number | null;
  /** `outside_hours`: when the farm opens again, RFC 3339. */
  readonly opensAt: string | null;

  constructor(facts: {
    status: number;
    code: string;
    message: string;
    advice?: string;
    mistakes?: Mistake[];
    retryAfterSecs?: number | null;
    opensAt?: string | null;
  }) {
    super(facts.message);
    this.status = facts.status;
    this.code = facts.code;
    this.advice = facts.advice ?? '';
    this.mistakes = facts.mistakes ?? [];
    this.retryAfterSecs = facts.retryAfterSecs ?? null;
    this.opensAt = facts.opensAt ?? null;
  }
}

/** The longest wait that a server may ask for; a larger number is a mistake or malice. */
const MAX_RETRY_AFTER_SECS = 300;

/** Reads the problem document (RFC 9457) of an answer >= 400. Whatever is none becomes `internal`. */
export async function readProblem(response: Response): Promise<ApiProblem> {
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    body = null;
  }
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string): string => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  return new ApiProblem({
    status: response.status,
    code: text('code') || codeOfStatus(response.status),
    message: text('detail'),
    advice: text('advice'),
    mistakes: Array.isArray(fields.errors) ? fields.errors.filter(isMistake) : [],
    retryAfterSecs: readRetryAfter(response.headers.get('retry-after')),
    opensAt: text('opens_at') || null,
  });
}

export function unreachable(cause: unknown): ApiProblem {
  const problem = new ApiProblem({ status: 0, code: 'unreachable', message: '' });
  problem.cause = cause;
  return problem;
}

function codeOfStatus(status: number): ProblemCode {
  switch (status) {
    case 401:
      return 'signed_out';
    case 404:
      return 'not_found';
    case 429:
      return 'busy';
    // A gateway that has no broker answers 502 or 504 without a body of ours.
    case 502:
    case 503:
    case 504:
      return 'farm_starting';
    default:
      return status < 500 ? 'bad_request' : 'internal';
  }
}

function readRetryAfter(header: string | null): number | null {
  const secs = header === null ? NaN : Number(header);
  return Number.isFinite(secs) && secs >= 0 ? Math.min(secs, MAX_RETRY_AFTER_SECS) : null;
}

function isMistake(value: unknown): value is Mistake {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Mistake).field === 'string' &&
    typeof (value as Mistake).message === 'string'
  );
}
