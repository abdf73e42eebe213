import {
  Input, List, Modal, Paper, SegmentedControl, Select, Stack, Switch, Text, TextInput, useMantineColorScheme, type MantineColorScheme,
} from '@mantine/core';
import { LAYOUTS, detectLayout, layoutOfLanguage } from '@oriel/session/layouts';
import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES, type Language } from '@oriel/look/languages';
import { locksOf, type Policy } from '../policy.ts';
import { DEVICE_NAME_MAX, setPreferences } from '../preferences.ts';
import { Locked } from '../ui/Locked.tsx';
import { clipboardWords, lockWords } from '../ui/lock-words.ts';
import { usePreferences } from '../use-preferences.ts';

export function Settings({ opened, close, policy }: { opened: boolean; close: () => void; policy: Policy }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={close} title={t('settings.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <SettingsForm policy={policy} />
    </Modal>
  );
}

function SettingsForm({ policy }: { policy: Policy }) {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemeLabel = useId();
  const [found, setFound] = useState<string>();

  useEffect(() => {
    void detectLayout().then((id) => setFound(LAYOUTS.find((layout) => layout.id === id)?.name));
  }, []);

  const clipboard = policy?.settings.clipboard;
  const locks = locksOf(policy);
  const lockedTag = policy?.settings.keyboard?.layout ?? null;
  const lockedLayout = lockedTag === null ? null : (layoutOfLanguage(lockedTag) ?? null);
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
        description={policy && lockedLayout ? <Locked policy={policy.name} /> : t('settings.layout_hint')}
        disabled={lockedLayout !== null}
        data={[
          { value: 'auto', label: found ? t('settings.layout_found', { name: found }) : t('settings.layout_auto') },
          ...names,
        ]}
        value={String(lockedLayout ?? preferences.layout)}
        allowDeselect={false}
        searchable
        nothingFoundMessage={t('settings.layout_none')}
        onChange={(id) => id && setPreferences({ layout: id === 'auto' ? 'auto' : Number(id) })}
        data-testid="layout"
      />
      <Switch
        label={t('settings.clipboard')}
        description={policy && clipboard ? <Locked policy={policy.name} text={clipboardWords(clipboard, t)} /> : t('settings.clipboard_hint')}
        checked={preferences.clipboard && clipboard?.direction !== 'none'}
        disabled={clipboard?.direction === 'none'}
        onChange={(event) => setPreferences({ clipboard: event.currentTarget.checked })}
        data-testid="clipboard-switch"
      />
      <TextInput
        label={t('settings.device_name')}
        description={t('settings.device_name_hint')}
        maxLength={DEVICE_NAME_MAX}
        value={preferences.deviceName}
        onChange={(event) => setPreferences({ deviceName: event.currentTarget.value })}
        data-testid="device-name"
      />
      <Text size="xs" c="dimmed">
        {t('settings.kept_here')}
      </Text>
      {policy && locks.length > 0 && (
        <Paper withBorder radius="md" p="sm" data-testid="locked-settings">
          <Stack gap={6}>
            <Locked policy={policy.name} />
            <List size="sm" spacing={2}>
              {locks.map((lock) => (
                <List.Item key={lock.key}>{lockWords(lock, t)}</List.Item>
              ))}
            </List>
          </Stack>
        </Paper>
      )}
    </Stack>
  );
}
