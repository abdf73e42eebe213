import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight';
import { get, type SessionView } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconDeviceDesktop, IconLoader2, IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { KINDS, pageOf } from '../kinds.ts';
import type { Page, Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { useGo } from '../ui/go.ts';
import { ACTIONS, PLACES } from './places.ts';
import { onOpenSearch } from './search-store.ts';

/** Of each kind, the first few: who sees many types more. */
const OF_EACH = 5;

/** Finds pages, actions and any object by name: Ctrl+K. */
export default function Search() {
  const { t } = useTranslation();
  const may = useMay();
  const go = useGo();
  const [query, setQuery] = useState('');
  const [settled] = useDebouncedValue(query.trim(), 150);
  useEffect(() => onOpenSearch(spotlight.open), []);

  const isMeant = (...words: string[]) => words.some((word) => word.toLowerCase().includes(query.trim().toLowerCase()));
  const found = useQuery({
    queryKey: ['search', settled],
    enabled: settled !== '',
    staleTime: 5_000,
    queryFn: async ({ signal }) => {
      const kinds = KINDS.filter(({ area }) => may(area));
      const sessions = may('sessions')
        ? get<Page<SessionView>>('/sessions', { limit: OF_EACH, filter: `user_name~:"${settled.replaceAll('"', '')}"` }, signal)
        : Promise.resolve<Page<SessionView>>({ items: [] });
      const [running, ...objects] = await Promise.all([
        sessions,
        ...kinds.map(({ plural }) => get<Page<Shown>>(`/${plural}`, { name: settled, limit: OF_EACH, fields: 'name' }, signal)),
      ]);
      return { running: running.items, objects: kinds.map((facts, index) => ({ ...facts, items: objects[index]?.items ?? [] })) };
    },
  });

  const pages: SpotlightActionData[] = PLACES.flatMap(({ places }) => places)
    .filter(({ area, name }) => (area === null || may(area)) && isMeant(t(name)))
    .map(({ to, name, icon: Sign }) => ({ id: to, label: t(name), leftSection: <Sign size={20} stroke={1.5} aria-hidden />, onClick: () => go(to) }));
  const actions: SpotlightActionData[] = ACTIONS.filter(({ area, name, verb }) => (area === null || may(area, verb)) && isMeant(t(name))).map(
    ({ to, name, icon: Sign }) => ({ id: `do ${to}`, label: t(name), leftSection: <Sign size={20} stroke={1.5} aria-hidden />, onClick: () => go(to) }),
  );
  const objects: SpotlightActionGroupData[] = (query.trim() === '' ? [] : (found.data?.objects ?? [])).map(({ kind, icon: Sign, items }) => ({
    group: t(`kinds.${kind}.many`),
    actions: items.map(({ id, name }) => ({
      id, label: name, description: t(`kinds.${kind}.one`), leftSection: <Sign size={20} stroke={1.5} aria-hidden />, onClick: () => go(pageOf(kind, id)),
    })),
  }));
  const running: SpotlightActionData[] = (query.trim() === '' ? [] : (found.data?.running ?? [])).map((session) => ({
    id: session.id,
    label: session.user_name,
    description: `${session.resource_name} · ${session.host_name}`,
    leftSection: <IconDeviceDesktop size={20} stroke={1.5} aria-hidden />,
    onClick: () => go(`/sessions/${session.id}`),
  }));
  const groups = [
    ...objects,
    { group: t('nav.sessions'), actions: running },
    { group: t('search.pages'), actions: pages },
    { group: t('search.actions'), actions: query.trim() === '' ? actions.slice(0, 4) : actions },
  ].filter(({ actions: each }) => each.length > 0);

  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      // The broker has searched already.
      filter={(_query, all) => all}
      shortcut={['mod + K']}
      scrollable
      attributes={{ content: { 'aria-label': t('search.open') } }}
      maxHeight={420}
      nothingFound={found.isFetching ? <IconLoader2 aria-label={t('loading')} /> : t('search.nothing')}
      searchProps={{ leftSection: <IconSearch size={20} aria-hidden />, placeholder: t('search.placeholder'), 'aria-label': t('search.placeholder'), maxLength: 120 }}
    />
  );
}
