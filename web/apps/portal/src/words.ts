/** Words for what went wrong: a sentence on what happened, and one on what to do. */
import { ApiProblem } from '@oriel/api';
import type { Words } from '@oriel/look/words';
import i18next, { type TFunction } from 'i18next';
import { at } from './ui/time.ts';

/** For these the broker's message names the pool, the host or the administrator's note. */
const TOLD_BY_THE_FARM = new Set([
  'no_host', 'host_refused', 'in_maintenance', 'bad_request', 'outside_hours', 'client_not_allowed', 'limit_reached',
]);
const KNOWN = new Set([
  'sign_in_refused', 'signed_out', 'not_found', 'in_maintenance', 'no_host', 'host_refused', 'session_gone',
  'session_ending', 'outside_hours', 'client_not_allowed', 'limit_reached', 'not_for_this_client', 'farm_starting', 'password_expired', 'directory_unreachable', 'busy', 'csrf', 'bad_request', 'internal', 'unreachable',
]);

export function wordsOf(error: unknown, t: TFunction): Words {
  const problem = error instanceof ApiProblem ? error : null;
  const code = problem?.code ?? 'internal';
  if (problem && !KNOWN.has(code)) {
    return {
      title: problem.message || t('problem.internal.title'),
      detail: '',
      advice: problem.advice || t('problem.internal.advice'),
    };
  }
  return {
    title: t(`problem.${code}.title`),
    detail: problem && TOLD_BY_THE_FARM.has(code) ? problem.message : '',
    advice: problem?.opensAt ? t('hours.closed.opens', { when: at(problem.opensAt, i18next.language) }) : t(`problem.${code}.advice`),
  };
}
