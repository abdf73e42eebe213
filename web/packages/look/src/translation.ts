/** The pages' words. Each language's catalogues are files of their own and only those in use are loaded. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { spokenLanguage, type Language, type Spoken } from './languages.ts';
import type { Kept } from './preferences.ts';

export type Catalogues = Record<Spoken, () => Promise<{ default: object }>[]>;

/** Has the pages speak, now and whenever another language is chosen. */
export async function startTranslation(catalogues: Catalogues, kept: Kept<{ language: Language }>): Promise<void> {
  const use = async (language: Spoken): Promise<void> => {
    if (!i18next.hasResourceBundle(language, 'translation')) {
      for (const { default: words } of await Promise.all(catalogues[language]())) {
        i18next.addResourceBundle(language, 'translation', words, true);
      }
    }
    await i18next.changeLanguage(language);
    document.documentElement.lang = language;
  };
  await i18next.use(initReactI18next).init({
    resources: {},
    fallbackLng: false,
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
    // A page that has no words for something shows the key itself: tests of the pages fail on what is said here.
    saveMissing: true,
    missingKeyHandler: (languages, _catalogue, key) => console.error(`There is no text "${key}" in ${languages.join(', ')}.`),
  });
  const wanted = () => spokenLanguage(kept.now().language, navigator.languages);
  await use(wanted());
  kept.on(() => {
    if (i18next.language !== wanted()) void use(wanted());
  });
}
