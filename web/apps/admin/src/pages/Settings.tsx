import { DataList, Paper, SegmentedControl, Select, SimpleGrid, Stack, Title, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { choiceOf } from '../form/words.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { LANGUAGES, type Language } from '@oriel/look/languages';
import { setPreferences, usePreferences } from '../preferences.ts';
import { nameOf } from '../sign-in/me.ts';
import { useMe } from '../sign-in/use-may.ts';
import { moment } from '../ui/time.ts';

/** What administrators set for themselves, and what they may do. */
export default function Settings() {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const { language } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const facts: [string, string][] = [
    [t('settings.administrator'), nameOf(me)],
    [t('settings.role'), me.roles.map(({ role }) => choiceOf('AdministratorRole', role, t)).join(', ')],
    ...(me.session ? ([[t('settings.ends'), moment(me.session.ends_at, i18n.language)]] as [string, string][]) : []),
  ];
  return (
    <>
      <PageHead title={t('settings.title')} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Paper withBorder p="md" className="card">
          <Title order={2} size="h4" mb="sm">{t('settings.browser')}</Title>
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
        </Paper>
        <Paper withBorder p="md" className="card">
          <Title order={2} size="h4" mb="sm">{t('settings.me')}</Title>
          <DataList withDivider labelWidth="40%">
            {facts.map(([label, value]) => (
              <DataList.Item key={label}><DataList.ItemLabel>{label}</DataList.ItemLabel><DataList.ItemValue>{value}</DataList.ItemValue></DataList.Item>
            ))}
            {Object.entries(me.areas).map(([area, verbs]) => (
              <DataList.Item key={area}><DataList.ItemLabel>{t(`area.${area}`)}</DataList.ItemLabel><DataList.ItemValue>{verbs.map((verb) => t(`verb.${verb}`)).join(', ')}</DataList.ItemValue></DataList.Item>
            ))}
          </DataList>
        </Paper>
      </SimpleGrid>
    </>
  );
}
