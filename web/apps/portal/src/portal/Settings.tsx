import { Input, Modal, SegmentedControl, Select, Stack, Switch, Text, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { LAYOUTS, detectLayout } from '@oriel/session/layouts';
import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '../i18n/index.ts';
import { setPreferences, type Language } from '../preferences.ts';
import { usePreferences } from '../use-preferences.ts';

export function Settings({ opened, close }: { opened: boolean; close: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={close} title={t('settings.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <SettingsForm />
    </Modal>
  );
}

function SettingsForm() {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemeLabel = useId();
  const [found, setFound] = useState<string>();

  useEffect(() => {
    void detectLayout().then((id) => setFound(LAYOUTS.find((layout) => layout.id === id)?.name));
  }, []);

  const names = LAYOUTS.map((layout) => ({ value: String(layout.id), label: layout.name })).toSorted((a, b) =>
    a.label.localeCompare(b.label),
  );
  return (
    <Stack gap="lg" data-testid="settings">
      <Select
        label={t('settings.language')}
        data={[
          { value: 'auto', label: t('settings.language_auto') },
          ...Object.entries(LANGUAGES).map(([value, label]) => ({ value, label })),
        ]}
        value={preferences.language}
        allowDeselect={false}
        onChange={(language) => language && setPreferences({ language: language as Language })}
      />
      <Input.Wrapper label={t('settings.colours')} labelElement="div" labelProps={{ id: schemeLabel }}>
        <SegmentedControl
          fullWidth
          mt={4}
          aria-labelledby={schemeLabel}
          value={colorScheme}
          onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}
          data={[
            { value: 'auto', label: t('settings.colours_auto') },
            { value: 'light', label: t('settings.colours_light') },
            { value: 'dark', label: t('settings.colours_dark') },
          ]}
        />
      </Input.Wrapper>
      <Select
        label={t('settings.layout')}
        description={t('settings.layout_hint')}
        data={[
          { value: 'auto', label: found ? t('settings.layout_found', { name: found }) : t('settings.layout_auto') },
          ...names,
        ]}
        value={String(preferences.layout)}
        allowDeselect={false}
        searchable
        nothingFoundMessage={t('settings.layout_none')}
        onChange={(id) => id && setPreferences({ layout: id === 'auto' ? 'auto' : Number(id) })}
        data-testid="layout"
      />
      <Switch
        label={t('settings.clipboard')}
        description={t('settings.clipboard_hint')}
        checked={preferences.clipboard}
        onChange={(event) => setPreferences({ clipboard: event.currentTarget.checked })}
        data-testid="clipboard-switch"
      />
      <Text size="xs" c="dimmed">
        {t('settings.kept_here')}
      </Text>
    </Stack>
  );
}
