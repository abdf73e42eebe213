/** Words for what went wrong: a sentence on what happened, and one on what to do. */
import { ApiProblem } from '@oriel/api';
import type { TFunction } from 'i18next';

export interface Words {
  title: string;
  /** The farm's own words, where they say more than ours. */
  detail: string;
  advice: string;
}

/** For these the broker's message names the pool, the host or the administrator's note. */
const TOLD_BY_THE_FARM = new Set(['no_host', 'host_refused', 'in_maintenance', 'bad_request']);
const KNOWN = new Set([
  'sign_in_refused', 'signed_out', 'not_found', 'in_maintenance', 'no_host', 'host_refused', 'session_gone',
  'session_ending', 'farm_starting', 'busy', 'csrf', 'bad_request', 'internal', 'unreachable',
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
    advice: t(`problem.${code}.advice`),
  };
}
