import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { ago, moment } from './time.ts';

const EVERY_MS = 30_000;
const NOWRAP = { whiteSpace: 'nowrap' } as const;

/** One clock for all that show how long ago something was: lists have hundreds of them. */
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

/** How long ago, kept true; the moment itself on pointing at it. */
export function Ago({ when }: { when: string }) {
  const { i18n } = useTranslation();
  useSyncExternalStore(subscribe, () => now);
  return <time dateTime={when} title={moment(when, i18n.language)} style={NOWRAP}>{ago(when, i18n.language)}</time>;
}
