import { describe, expect, it } from 'vitest';
import { languageOf, spokenLanguage } from './languages.ts';

describe('the language', () => {
  it.each([
    ['auto', ['de-AT', 'en'], 'de'],
    ['auto', ['fr', 'de'], 'de'],
    ['auto', ['ja'], 'en'],
    ['en', ['de'], 'en'],
  ] as const)('chosen %s with a browser of %j is %s', (chosen, wanted, language) => {
    expect(spokenLanguage(chosen, wanted)).toBe(language);
  });

  it.each([['de', 'de'], ['auto', 'auto'], ['toString', 'auto'], [7, 'auto'], [undefined, 'auto']])('stored as %j is %s', (stored, language) => {
    expect(languageOf(stored)).toBe(language);
  });
});
