/** One clock for all that tells of time passing: a list has hundreds of them. */
import { useSyncExternalStore } from 'react';

const EVERY_MS = 30_000;

const listeners = new Set<() => void>();
let now = Date.now();
let ticking: number | undefined;

function tick(): void {
  now = Date.now();
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= window.setInterval(tick, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(ticking);
    ticking = undefined;
  };
}

/** Has what tells of time passing drawn anew twice a minute. */
export const useTick = (): number => useSyncExternalStore(subscribe, () => now);
