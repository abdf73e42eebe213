/** What an administrator sets for this browser. */
import { languageOf, type Language } from '@oriel/look/languages';
import { keep } from '@oriel/look/preferences';
import { useSyncExternalStore } from 'react';

export interface Preferences {
  language: Language;
  /** Columns that are shown, by list; a list that is not here shows its own choice. */
  columns: Record<string, string[]>;
  /** Whether the first steps are not wanted any more. */
  isStarted: boolean;
}

export const kept = keep<Preferences>('oriel.management', ({ language, columns, isStarted }) => ({
  language: languageOf(language),
  columns: Object.fromEntries(
    Object.entries(typeof columns === 'object' && columns !== null ? columns : {}).filter(
      ([, names]) => Array.isArray(names) && names.every((name) => typeof name === 'string'),
    ),
  ),
  isStarted: isStarted === true,
}));

export const { set: setPreferences } = kept;

export const usePreferences = (): Preferences => useSyncExternalStore(kept.on, kept.now);
