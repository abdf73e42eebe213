import { Checkbox, Group, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import type { InstalledApp } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconAppWindow, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../ui/Failure.tsx';
import { pictureOfProgram, programsOf } from './programs.ts';

/** The programs of a host with their pictures; with `onChange`, to choose from. */
export function ProgramPicker({ host, chosen = [], onChange }: { host: string; chosen?: InstalledApp[]; onChange?: (apps: InstalledApp[]) => void }) {
  const { t, i18n } = useTranslation();
  const [words, setWords] = useState('');
  const found = useQuery(programsOf(host, i18n.language));
  const apps = (found.data ?? []).filter(({ name, comment, program }) => [name, comment, program].some((each) => each.toLowerCase().includes(words.trim().toLowerCase())));
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <Stack gap="sm">
      <TextInput
        type="search" placeholder={t('program.search')} aria-label={t('program.search')} leftSection={<IconSearch size={16} aria-hidden />} maw={360} maxLength={120}
        value={words} onChange={(event) => setWords(event.currentTarget.value)}
      />
      {found.isPending && <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} role="status" aria-label={t('loading')}>{Array.from({ length: 6 }, (_, index) => <Skeleton key={index} h={64} />)}</SimpleGrid>}
      {found.isSuccess && <Text size="sm" c="dimmed" role="status">{t('program.count', { count: apps.length })}</Text>}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="xs" data-testid="programs">
        {apps.map((app) => {
          const face = (
            <Group gap="sm" wrap="nowrap" miw={0}>
              <ProgramPicture app={app} />
              <div style={{ minWidth: 0 }}>
                <Text size="sm" fw={600} truncate>{app.name}</Text>
                <Text size="xs" c="dimmed" lineClamp={1}>{app.comment || app.program}</Text>
              </div>
            </Group>
          );
          if (!onChange) return <div key={app.id}>{face}</div>;
          const isChosen = chosen.some(({ id }) => id === app.id);
          return (
            <Checkbox.Card key={app.id} p="sm" checked={isChosen} aria-label={app.name} onChange={() => onChange(isChosen ? chosen.filter(({ id }) => id !== app.id) : [...chosen, app])}>
              <Group wrap="nowrap" gap="sm">
                <Checkbox.Indicator />
                {face}
              </Group>
            </Checkbox.Card>
          );
        })}
      </SimpleGrid>
    </Stack>
  );
}

export function ProgramPicture({ app, size = 32 }: { app: InstalledApp; size?: number }) {
  const url = pictureOfProgram(app);
  return url === null ? <IconAppWindow size={size} stroke={1.2} aria-hidden /> : <img src={url} alt="" width={size} height={size} />;
}
