/** What the page says when a session is over, and what it offers. */
import type { TFunction } from 'i18next';
import type { Words } from '@oriel/look/words';
import { wordsOf } from '../words.ts';
import type { Ending } from './machine.ts';

const REASONS = new Set([
  'logged_off', 'disconnected', 'taken_over', 'idle', 'logged_off_by_request', 'disconnected_by_request', 'reset',
  'disconnected_too_long', 'logon_refused', 'not_ready', 'limit_reached', 'outside_hours', 'right_withdrawn', 'host_failed', 'host_lost',
  'gateway_closing', 'network_lost',
]);

/** Here the farm's own sentence says more than ours: what failed, or what the administrator wrote. */
const TOLD_BY_THE_FARM = new Set(['host_failed', 'outside_hours']);

export interface EndWords extends Words {
  /** Whether it is a failure or the usual course of things. */
  tone: 'calm' | 'bad';
  again: 'open' | 'return' | 'retry' | null;
}

export function endWords(ending: Ending, name: string, t: TFunction): EndWords {
  switch (ending.kind) {
    case 'told': {
      const reason = ending.end.reason ?? '';
      const again = reason === 'right_withdrawn' || reason === 'outside_hours' ? null : ending.end.session_running ? 'return' : 'open';
      if (!REASONS.has(reason)) {
        return { title: ending.end.message || t('end.unknown.title'), detail: '', advice: t('end.unknown.advice'), tone: 'bad', again };
      }
      const usual = ['logged_off', 'disconnected', 'taken_over', 'logged_off_by_request'].includes(reason);
      return {
        title: t(`end.${reason}.title`, { name }),
        detail: TOLD_BY_THE_FARM.has(reason) ? ending.end.message : '',
        advice: t(`end.${reason}.advice`, { name }),
        tone: usual ? 'calm' : 'bad',
        again,
      };
    }
    case 'refused':
      return { ...wordsOf(ending.problem, t), tone: 'bad', again: ending.problem.code === 'not_found' ? null : 'retry' };
    case 'gone':
      return { title: t('end.gone.title', { name }), detail: '', advice: t('end.gone.advice'), tone: 'calm', again: 'open' };
    case 'left':
      return { title: t('end.left.title', { name }), detail: '', advice: t('end.left.advice'), tone: 'calm', again: 'return' };
    case 'given_up':
      return { title: t('end.given_up.title'), detail: '', advice: t('end.given_up.advice'), tone: 'bad', again: 'retry' };
    case 'signed_out':
      return { title: t('problem.signed_out.title'), detail: '', advice: t('problem.signed_out.advice'), tone: 'calm', again: null };
  }
}
