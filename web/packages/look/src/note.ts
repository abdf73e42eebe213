/** One short message at a time, at the foot of the page. */
import { useSyncExternalStore } from 'react';
import type { Words } from './words.ts';

export interface Note {
  tone: 'good' | 'bad';
  title: string;
  text?: string;
  /** What can be done about it. */
  action?: { label: string; run: () => void };
}

/** Long enough to read two sentences; WCAG asks that it can also be read again, so hovering holds it. */
export const NOTE_MS = 8_000;

let current: Note | null = null;
const listeners = new Set<() => void>();

export function notify(note: Note | null): void {
  current = note;
  listeners.forEach((tell) => tell());
}

export function notifyFailed({ title, detail, advice }: Words): void {
  notify({ tone: 'bad', title, text: [detail, advice].filter(Boolean).join(' ') });
}

export function useNote(): Note | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
