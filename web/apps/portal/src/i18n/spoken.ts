import type { Language } from '../preferences.ts';

/** The language of the page: the chosen one, or the first of the browser's that there is. */
export function spokenLanguage(chosen: Language, wanted: readonly string[]): 'en' | 'de' {
  if (chosen !== 'auto') return chosen;
  const known = wanted.map((tag) => tag.toLowerCase().split('-')[0]).find((base) => base === 'en' || base === 'de');
  return known === 'de' ? 'de' : 'en';
}
