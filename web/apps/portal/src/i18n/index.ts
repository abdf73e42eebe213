import { startTranslation as start, type Catalogues } from '@oriel/look/translation';
import { kept } from '../preferences.ts';

const CATALOGUES: Catalogues = {
  en: () => [import('./en.json')],
  de: () => [import('./de.json')],
};

export const startTranslation = (): Promise<void> => start(CATALOGUES, kept);
