import { Button, Collapse, Group, Paper, Select, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { IconFilter, IconSearch } from '@tabler/icons-react';
import type { Query } from '@oriel/api/management';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectSelect } from '../form/Picker.tsx';
import { KINDS, byKind } from '../kinds.ts';
import { text, usePlace, type Search } from '../ui/go.ts';
import { momentOf } from '../ui/time.ts';
import { AREAS, OUTCOMES, VIAS, partsOf } from './codes.ts';

const MORE = ['code', 'outcome', 'via', 'by', 'kind', 'object', 'since', 'until'] as const;

/** What the address asks for, as the broker takes it. */
export const queryOf = (place: Search): Query => ({
  ...Object.fromEntries(['text', ...MORE].map((key) => [key, text(place[key])])),
  since: momentOf(text(place.since)),
  until: momentOf(text(place.until)),
});

/** Which entries are wanted; kept in the address, so that it can be sent to somebody. */
export function Filters() {
  const { t } = useTranslation();
  const [place, setPlace] = usePlace();
  const set = MORE.filter((key) => text(place[key]) !== '');
  const [opened, setOpened] = useState(set.length > 0);
  const id = useId();
  const value = (key: string) => text(place[key]);
  const codes = AREAS.map(({ area, codes }) => ({
    group: t(`audit.area.${area}`),
    items: [
      ...(codes.length > 1 ? [{ value: area, label: t('audit.all_of', { area: t(`audit.area.${area}`) }) }] : []),
      ...codes.map((code) => ({ value: code as string, label: t(`audit.code.${area}.${partsOf(code).what}`) })),
    ],
  }));
  const kinds = [...KINDS.map(({ kind }) => ({ value: kind as string, label: t(`kinds.${kind}.many`) })), { value: 'session', label: t('nav.sessions') }];
  const select = (key: string, label: string, data: React.ComponentProps<typeof Select>['data']) => (
    <Select
      label={label} placeholder={t('audit.any')} clearable searchable value={value(key) || null} data={data ?? []} nothingFoundMessage={t('pick.nothing')}
      clearButtonProps={{ 'aria-label': t('pick.clear') }} onChange={(to) => setPlace({ [key]: to ?? undefined, ...(key === 'kind' ? { object: undefined } : {}) })}
    />
  );
  return (
    <Paper withBorder p="sm" className="card" component="search">
      <Stack gap="sm">
        <Group gap="sm" wrap="nowrap">
          <TextInput
            type="search" flex={1} maw={480} leftSection={<IconSearch size={16} aria-hidden />} placeholder={t('audit.search')} aria-label={t('audit.search')} maxLength={200}
            value={value('text')} onChange={(event) => setPlace({ text: event.currentTarget.value })} data-testid="audit-search"
          />
          <Button variant="default" leftSection={<IconFilter size={16} aria-hidden />} aria-expanded={opened} aria-controls={id} onClick={() => setOpened(!opened)} data-testid="filters">
            {set.length === 0 ? t('audit.filters') : t('audit.filters_set', { number: set.length })}
          </Button>
        </Group>
        <Collapse expanded={opened} id={id}>
          <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="sm">
            {select('code', t('audit.codes'), codes)}
            {select('outcome', t('audit.outcome'), OUTCOMES.map((each) => ({ value: each, label: t(`audit.ended.${each}`) })))}
            {select('via', t('audit.via'), VIAS.map((each) => ({ value: each, label: t(`history.via.${each}`) })))}
            <TextInput label={t('audit.by')} value={value('by')} maxLength={200} onChange={(event) => setPlace({ by: event.currentTarget.value })} />
            {select('kind', t('audit.kind'), kinds)}
            {byKind(value('kind')) ? (
              <ObjectSelect key={value('kind')} kind={value('kind')} label={t('audit.object')} placeholder={t('audit.any')} value={value('object') || null} onChange={(to) => setPlace({ object: to ?? undefined })} />
            ) : (
              <TextInput label={t('audit.object')} placeholder={t('audit.object_help')} value={value('object')} maxLength={36} onChange={(event) => setPlace({ object: event.currentTarget.value.trim() })} />
            )}
            <TextInput label={t('audit.since')} type="datetime-local" value={value('since')} onChange={(event) => setPlace({ since: event.currentTarget.value })} />
            <TextInput label={t('audit.until')} type="datetime-local" value={value('until')} onChange={(event) => setPlace({ until: event.currentTarget.value })} />
          </SimpleGrid>
          {set.length > 0 && (
            <Button mt="sm" size="xs" variant="subtle" onClick={() => setPlace(Object.fromEntries(MORE.map((key) => [key, undefined])))}>{t('audit.clear')}</Button>
          )}
        </Collapse>
      </Stack>
    </Paper>
  );
}
