/** Words for what went wrong: a sentence on what happened, and one on what to do. */
import { ApiProblem, Refusal } from '@oriel/api/management';
import type { Words } from '@oriel/look/words';
import type { TFunction } from 'i18next';

/** Those that have words of their own; of the rest, the broker's are shown. */
const KNOWN = new Set([
  'unreachable', 'unauthorized', 'signed_out', 'forbidden', 'not_found', 'name_taken', 'in_use', 'stale', 'deleted', 'invalid', 'busy',
  'internal', 'host_unreachable', 'host_timed_out', 'session_gone', 'store_unavailable', 'farm_starting', 'changed_since', 'not_revertible',
  'csrf', 'sign_in_refused', 'code_needed', 'code_refused', 'second_factor_exists', 'enrolment_not_begun', 'mail_not_sent',
]);

/** Who acts, other than users: they are called by their own names. */
const ACTORS = new Set(['token', 'invitation', 'agent', 'gateway', 'schedule']);

/** Who did something, as the log names them (`user anna`, `token nightly`, `system`), for people. */
export function authorOf(name: string, t: TFunction): string {
  if (name === 'system') return t('author.system');
  const [what = '', ...rest] = name.split(' ');
  const own = rest.join(' ');
  if (what === 'user' && own !== '') return own;
  return ACTORS.has(what) && own !== '' ? t(`author.${what}`, { name: own }) : name;
}

export function wordsOf(error: unknown, t: TFunction): Words {
  const problem = error instanceof ApiProblem ? error : null;
  const code = problem?.code ?? 'internal';
  // Of what is not valid, the sentences about the fields say more than that something is wrong.
  const about = code === 'invalid' ? (problem?.mistakes.map(({ message }) => message).join(' ') ?? '') : '';
  const detail = about || (problem?.message ?? '');
  if (KNOWN.has(code)) return { title: t(`problem.${code}.title`), detail, advice: problem?.advice || t(`problem.${code}.advice`) };
  const title = problem instanceof Refusal && problem.title !== '' ? problem.title : t('problem.internal.title');
  return { title, detail, advice: problem?.advice ?? '' };
}

/** As it stands alone: words that also stand within a sentence begin small. */
export function alone(words: string): string {
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}
