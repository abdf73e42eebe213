/** Languages of the pages. Each catalogue is a file of its own and only the one in use is loaded. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { onPreferences, preferences } from '../preferences.ts';
import { spokenLanguage } from './spoken.ts';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
type Spoken = keyof typeof LANGUAGES;

const CATALOGUES: Record<Spoken, () => Promise<{ default: object }>> = {
  en: () => import('./en.json'),
  de: () => import('./de.json'),
};

async function use(language: Spoken): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    const catalogue = await CATALOGUES[language]();
    i18next.addResourceBundle(language, 'translation', catalogue.default);
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
