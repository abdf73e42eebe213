/** Asking the farm for a place. */
import { api, type Launch } from '@oriel/api';
import { detectLayout } from '@oriel/session/layouts';
import type { Size } from '@oriel/session/types';
import { preferences } from '../preferences.ts';
import { facts } from './client-facts.ts';
import type { Goal } from './machine.ts';

export async function requestLaunch(goal: Goal, size: Size): Promise<Launch> {
  const chosen = preferences().layout;
  const layout = chosen === 'auto' ? await detectLayout() : chosen;
  const what =
    goal.session !== null
      ? { session_id: goal.session }
      : goal.resource !== null
        ? { resource_id: goal.resource }
        : {};
  return api.launch({ ...what, client: { ...facts(), ...size, keyboard_layout: layout } });
}
