/**
 * Asking the farm for a place. The first time it is asked before the page is even drawn: finding
 * a host and loading the page then take their time together.
 */
import { api, type Launch } from '@oriel/api';
import { detectLayout } from '@oriel/session/layouts';
import { desktopSize } from '@oriel/session/size';
import type { Size } from '@oriel/session/types';
import { preferences } from '../preferences.ts';
import { readGoal } from './address.ts';
import { facts } from './client-facts.ts';
import type { Goal } from './machine.ts';

export async function requestLaunch(goal: Goal, size: Size, signal?: AbortSignal): Promise<Launch> {
  const chosen = preferences().layout;
  const layout = chosen === 'auto' ? await detectLayout() : chosen;
  const what =
    goal.session !== null
      ? { session_id: goal.session }
      : goal.resource !== null
        ? { resource_id: goal.resource }
        : {};
  return api.launch({ ...what, client: { ...facts(), ...size, keyboard_layout: layout } }, signal);
}

export interface EarlyLaunch {
  size: Size;
  answer: Promise<Launch>;
}

let early: EarlyLaunch | null = null;

/** Called as soon as any script runs. The picture fills the window, so its size is known. */
export function beginLaunch(): void {
  // The page was asked for at time 0; benchmarks measure from here to the first picture.
  performance.mark('oriel:launch', { startTime: 0 });
  const size = desktopSize({ width: window.innerWidth, height: window.innerHeight });
  early = { size, answer: requestLaunch(readGoal(location.search), size) };
  // Whoever takes it hears of a failure; until then nobody does.
  early.answer.catch(() => {});
}

/** Hands it out once: a ticket is good for one connection. */
export function takeEarlyLaunch(): EarlyLaunch | null {
  const taken = early;
  early = null;
  return taken;
}
