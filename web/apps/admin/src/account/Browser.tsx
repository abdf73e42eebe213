import { SegmentedControl, Select, Stack, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { LANGUAGES, type Language } from '@oriel/look/languages';
import { useTranslation } from 'react-i18next';
import { setPreferences, usePreferences } from '../preferences.ts';

/** What is kept in this browser only. */
export function Browser() {
  const { t } = useTranslation();
  const { language } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Stack>
      <Select
        label={t('settings.language')} allowDeselect={false} value={language} onChange={(to) => setPreferences({ language: (to ?? 'auto') as Language })}
        data={[{ value: 'auto', label: t('settings.language_auto') }, ...Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))]}
      />
      <SegmentedControl
        aria-label={t('settings.colours')} value={colorScheme} onChange={(to) => setColorScheme(to as MantineColorScheme)}
        data={(['light', 'dark', 'auto'] as const).map((value) => ({ value, label: t(`settings.scheme.${value}`) }))}
      />
    </Stack>
  );
}
