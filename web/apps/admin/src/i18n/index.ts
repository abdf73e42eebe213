import { startTranslation as start, type Catalogues } from '@oriel/look/translation';
import { kept } from '../preferences.ts';

/** `ui`: the pages' own words. `model`: kinds, fields, choices. */
const CATALOGUES: Catalogues = {
  en: () => [import('./ui.en.json'), import('./model.en.json')],
  de: () => [import('./ui.de.json'), import('./model.de.json')],
};

export const startTranslation = (): Promise<void> => start(CATALOGUES, kept);
