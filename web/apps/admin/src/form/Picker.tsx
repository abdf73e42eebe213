import { MultiSelect, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { get } from '@oriel/api/management';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { byKind, pluralOf } from '../kinds.ts';
import type { Page, Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';

/** Names that are offered at a time; typing narrows them. */
const OFFERED = 50;

interface Common {
  kind: string;
  label: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  placeholder?: string | undefined;
  required?: boolean;
  'aria-label'?: string;
  /** Only those that fit. */
  filter?: string;
  /** Not offered. */
  without?: string;
}

function useOffers(kind: string, chosen: readonly string[], filter: string | undefined, without: string | undefined) {
  const { t } = useTranslation();
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search.trim(), 150);
  const may = useMay();
  // Who sees no objects of the kind is not told their names.
  const area = byKind(kind)?.area;
  const enabled = area === undefined || may(area);
  const names = useQueries({
    queries: chosen.map((id) => ({
      queryKey: ['name', kind, id],
      staleTime: 60_000,
      retry: false,
      enabled,
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await get<Shown>(`/${pluralOf(kind)}/${id}`, {}, signal)).name,
    })),
  });
  const called = new Map(chosen.map((id, index) => [id, names[index]?.data ?? (enabled ? (names[index]?.isError ? t('gone') : '…') : t('pick.hidden'))]));
  const isChosenName = [...called.values()].includes(settled);
  const offers = useQuery({
    queryKey: ['offers', kind, filter, isChosenName ? '' : settled],
    placeholderData: keepPreviousData,
    enabled,
    queryFn: ({ signal }) =>
      get<Page<Shown>>(`/${pluralOf(kind)}`, { name: isChosenName ? '' : settled, limit: OFFERED, fields: 'name', filter }, signal),
  });
  const found = (offers.data?.items ?? []).filter(({ id }) => id !== without).map(({ id, name }) => ({ value: id, label: name }));
  const data = [...found, ...chosen.filter((id) => !found.some(({ value }) => value === id)).map((id) => ({ value: id, label: called.get(id) ?? '…' }))];
  return { data, search, setSearch };
}

/** One object of a kind, found by name. */
export function ObjectSelect({ kind, value, onChange, filter, without, ...props }: Common & { value: string | null; onChange: (id: string | null) => void }) {
  const { t } = useTranslation();
  const { data, setSearch } = useOffers(kind, value === null || value === '' ? [] : [value], filter, without);
  return (
    <Select
      {...props} data={data} value={value === '' ? null : value} onChange={onChange} searchable clearable={!props.required} onSearchChange={setSearch}
      filter={({ options }) => options} nothingFoundMessage={t('pick.nothing')} clearButtonProps={{ 'aria-label': t('pick.clear') }} maxDropdownHeight={260}
    />
  );
}

/** Any number of objects of a kind. */
export function ObjectMultiSelect({ kind, value, onChange, filter, without, ...props }: Common & { value: string[]; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation();
  const { data, setSearch } = useOffers(kind, value, filter, without);
  return (
    <MultiSelect
      {...props} data={data} value={value} onChange={onChange} searchable clearable onSearchChange={setSearch} filter={({ options }) => options}
      nothingFoundMessage={t('pick.nothing')} clearButtonProps={{ 'aria-label': t('pick.clear') }} maxDropdownHeight={260} hidePickedOptions
    />
  );
}
