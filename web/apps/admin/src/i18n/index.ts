/** Languages of the pages. Each one's catalogues are files of their own and only those in use are loaded. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { onPreferences, preferences, type Language } from '../preferences.ts';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
type Spoken = keyof typeof LANGUAGES;

/** `ui`: the pages' own words. `model`: kinds, fields, choices. */
const CATALOGUES: Record<Spoken, () => Promise<{ default: object }>[]> = {
  en: () => [import('./ui.en.json'), import('./model.en.json')],
  de: () => [import('./ui.de.json'), import('./model.de.json')],
};

async function use(language: Spoken): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    const catalogues = await Promise.all(CATALOGUES[language]());
    for (const catalogue of catalogues) i18next.addResourceBundle(language, 'translation', catalogue.default, true);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function startTranslation(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: {},
    fallbackLng: false,
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  const wanted = () => spokenLanguage(preferences().language, navigator.languages);
  await use(wanted());
  onPreferences(() => {
    if (i18next.language !== wanted()) void use(wanted());
  });
}

/** The language of the pages: the chosen one, or the first of the browser's that there is. */
export function spokenLanguage(chosen: Language, wanted: readonly string[]): Spoken {
  if (chosen !== 'auto') return chosen;
  const known = wanted.map((tag) => tag.toLowerCase().split('-')[0]).find((base) => base === 'en' || base === 'de');
  return known === 'de' ? 'de' : 'en';
}
