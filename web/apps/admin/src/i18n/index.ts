import { sayRefusalsWith } from '@oriel/api/management';
import type { Spoken } from '@oriel/look/languages';
import { startTranslation as start, type Catalogues } from '@oriel/look/translation';
import i18next from 'i18next';
import { kept } from '../preferences.ts';
import { Translation, type Sentences } from './sentences.ts';

/** `ui`: the pages' own words. `model`: kinds, fields, choices. `sentences`: what the server says in English. */
const CATALOGUES: Catalogues = {
  en: () => [import('./ui.en.json'), import('./model.en.json')],
  de: () => {
    const model = import('./model.de.json');
    const sentences = Promise.all([model, import('./sentences.de.json')]).then(([words, { default: said }]) => listen('de', said, words.default.kinds));
    return [import('./ui.de.json'), model, sentences];
  },
};

const translations: Partial<Record<Spoken, Translation>> = {};

function listen(language: Spoken, sentences: Sentences, kinds: Record<string, { one: string }>): { default: object } {
  const terms = Object.entries(kinds).map(([kind, { one }]) => [kind, one] as const);
  translations[language] = new Translation(sentences, new Map(terms));
  return { default: {} };
}

/** A sentence of the server in the portal's language, as far as the catalogue has it. */
export function translated(sentence: string): string {
  return translations[i18next.language as Spoken]?.of(sentence) ?? sentence;
}

export function startTranslation(): Promise<void> {
  sayRefusalsWith(translated);
  return start(CATALOGUES, kept);
}
