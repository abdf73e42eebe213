/** Languages of the pages. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Spoken = keyof typeof LANGUAGES;
export type Language = 'auto' | Spoken;

const isSpoken = (word: unknown): word is Spoken => typeof word === 'string' && Object.hasOwn(LANGUAGES, word);

/** What is usable of what was stored. */
export const languageOf = (stored: unknown): Language => (isSpoken(stored) ? stored : 'auto');

/** The language of the pages: the chosen one, or the first of the browser's that there is. */
export function spokenLanguage(chosen: Language, wanted: readonly string[]): Spoken {
  if (chosen !== 'auto') return chosen;
  return wanted.map((tag) => tag.toLowerCase().split('-')[0]).find(isSpoken) ?? 'en';
}
