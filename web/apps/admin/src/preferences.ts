/** What an administrator sets for this browser, shared between its tabs. The colour scheme is kept by Mantine, beside it. */
import { useSyncExternalStore } from 'react';

export type Language = 'auto' | 'en' | 'de';

export interface Preferences {
  language: Language;
  /** Columns that are shown, by list; a list that is not here shows its own choice. */
  columns: Record<string, string[]>;
  /** Whether the first steps are not wanted any more. */
  isStarted: boolean;
}

const KEY = 'oriel.management';
const DEFAULTS: Preferences = { language: 'auto', columns: {}, isStarted: false };

const listeners = new Set<() => void>();
let current = read();

if (typeof window !== 'undefined') {
  window.addEventListener('storage', (event) => {
    if (event.key !== KEY) return;
    current = read();
    listeners.forEach((tell) => tell());
  });
}

export const preferences = (): Preferences => current;

export function setPreferences(changes: Partial<Preferences>): void {
  current = { ...current, ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // No storage in this browser mode: it holds until the tab is closed.
  }
  listeners.forEach((tell) => tell());
}

export function onPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const usePreferences = (): Preferences => useSyncExternalStore(onPreferences, preferences);

function read(): Preferences {
  try {
    return sound(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  } catch {
    return DEFAULTS;
  }
}

/** Takes what is usable of what was stored, by whichever version. */
export function sound(stored: unknown): Preferences {
  const from = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<Preferences>;
  const columns = Object.entries(typeof from.columns === 'object' && from.columns !== null ? from.columns : {}).filter(
    ([, names]) => Array.isArray(names) && names.every((name) => typeof name === 'string'),
  );
  return {
    language: from.language === 'en' || from.language === 'de' ? from.language : DEFAULTS.language,
    columns: Object.fromEntries(columns),
    isStarted: from.isStarted === true,
  };
}
