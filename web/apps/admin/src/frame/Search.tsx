import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight';
import { get, type SessionView } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconDeviceDesktop, IconLoader2, IconSearch, IconSettings } from '@tabler/icons-react';
import { Suspense, lazy, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useHostActions } from '../hosts/actions.tsx';
import { KINDS, pageOf } from '../kinds.ts';
import { Act, type BulkAction } from '../list/Bulk.tsx';
import { anyOf } from '../list/filter.ts';
import { useKinds, type Page, type Shown } from '../queries.ts';
import { useSessionActions } from '../sessions/actions.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { useGo } from '../ui/go.ts';
import { useCommands } from './commands.ts';
import { ACTIONS, PLACES } from './places.ts';
import { onOpenSearch } from './search-store.ts';
import { settings } from './settings.ts';

/** Of each kind, the first few: who sees many types more. */
const OF_EACH = 5;
/** Of hosts and sessions, the first ones are acted on from here. */
const ACTED_ON = 2;
const SETTINGS_MAX = 8;

const Write = lazy(() => import('../messages/Write.tsx'));

/** Finds pages, actions and any object by name: Ctrl+K. */
export default function Search() {
  const { t } = useTranslation();
  const may = useMay();
  const goTo = useGo();
  // Who goes to another page does not come back to where they were on this one.
  const [isGoing, setGoing] = useState(false);
  const go = (to: string) => {
    setGoing(true);
    const { pathname, searchParams, hash } = new URL(to, location.origin);
    goTo(pathname, Object.fromEntries(searchParams), false, hash.slice(1));
  };
  const [asked, setAsked] = useState<Asked | null>(null);
  const [isWriting, setWriting] = useState(false);
  const commands = useCommands(go, () => { setGoing(true); setWriting(true); });
  const ofHosts = useHostActions().map((action): Verb => ({ path: 'hosts', action: action as unknown as Verb['action'] }));
  const ofSessions = useSessionActions().map((action): Verb => ({ path: 'sessions', action: action as unknown as Verb['action'] }));
  const verbs = [...(may('hosts', 'control') ? ofHosts : []), ...(may('sessions', 'control') ? ofSessions : [])];
  const known = useKinds();
  const [query, setQuery] = useState('');
  const [settled] = useDebouncedValue(query.trim(), 150);
  useEffect(() => onOpenSearch(spotlight.open), []);

  const isMeant = (...words: string[]) => words.some((word) => word.toLowerCase().includes(query.trim().toLowerCase()));
  // "Drain h1": what is done is said first, what it is done to after it.
  const { verb, rest } = spoken(settled, verbs);
  const found = useQuery({
    queryKey: ['search', settled, rest],
    enabled: settled !== '' && known.length > 0,
    staleTime: 5_000,
    queryFn: async ({ signal }) => {
      const kinds = KINDS.filter(({ area, kind }) => may(area) && known.some((each) => each.kind === kind));
      const sessions = may('sessions')
        ? get<Page<SessionView>>('/sessions', { limit: OF_EACH, filter: anyOf(['user_name', 'host_name', 'resource_name'], rest) }, signal)
        : Promise.resolve<Page<SessionView>>({ items: [] });
      const [running, ...objects] = await Promise.all([
        sessions,
        ...kinds.map(({ kind, plural }) => {
          const asked = kind === 'user' ? { filter: anyOf(['name', 'spec.full_name'], settled) } : { name: kind === 'host' ? rest : settled };
          return get<Page<Shown>>(`/${plural}`, { ...asked, limit: OF_EACH, fields: 'name' }, signal);
        }),
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
  const targets: Record<string, Target[]> = {
    hosts: found.data?.objects.find(({ kind }) => kind === 'host')?.items ?? [],
    sessions: (found.data?.running ?? []).map((session) => ({ id: session.id, name: [session.user_name, session.resource_name].join(' · ') })),
  };
  const done: SpotlightActionData[] = (query.trim() === '' ? [] : verbs).filter((each) => verb === undefined || verb.includes(each)).flatMap(({ path, action }) =>
    (targets[path] ?? []).slice(0, ACTED_ON).map((target) => ({
      id: `${action.key} ${target.id}`, label: `${action.label}: ${target.name}`, leftSection: <action.icon size={20} stroke={1.5} aria-hidden />,
      onClick: () => { setGoing(true); setAsked({ path, action, target }); },
    })),
  );
  const meant: SpotlightActionData[] = commands.filter(({ label }) => query.trim() !== '' && isMeant(label)).map(({ key, label, icon: Sign, run }) => ({
    id: `run ${key}`, label, leftSection: <Sign size={20} stroke={1.5} aria-hidden />, onClick: run,
  }));
  const set: SpotlightActionData[] = (query.trim() === '' ? [] : settings(t))
    .filter(({ area, label }) => may(area) && isMeant(label))
    .slice(0, SETTINGS_MAX)
    .map(({ to, label, within }) => ({ id: `${to} ${label}`, label, description: within, leftSection: <IconSettings size={20} stroke={1.5} aria-hidden />, onClick: () => go(to) }));
  const groups = [
    ...(verb === undefined ? [] : [{ group: t('search.actions'), actions: done }]),
    ...objects,
    { group: t('nav.sessions'), actions: running },
    { group: t('search.pages'), actions: pages },
    { group: t('search.actions'), actions: query.trim() === '' ? actions.slice(0, 4) : [...meant, ...actions, ...(verb === undefined ? done : [])] },
    { group: t('search.settings'), actions: set },
  ].filter(({ actions: each }) => each.length > 0);

  return (
    <>
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      // The broker has searched already.
      filter={(_query, all) => all}
      shortcut={['mod + K']}
      scrollable
      returnFocus={!isGoing}
      onSpotlightOpen={() => setGoing(false)}
      attributes={{ content: { 'aria-label': t('search.open') } }}
      maxHeight={420}
      scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}
      nothingFound={found.isFetching ? <IconLoader2 aria-label={t('loading')} /> : t('search.nothing')}
      searchProps={{ leftSection: <IconSearch size={20} aria-hidden />, placeholder: t('search.placeholder'), 'aria-label': t('search.placeholder'), maxLength: 120 }}
    />
    {asked !== null && <Act action={asked.action} rows={[asked.target]} nameOf={({ name }) => name} path={asked.path} close={() => setAsked(null)} />}
    <Suspense>{isWriting && <Write close={() => setWriting(false)} />}</Suspense>
    </>
  );
}

interface Target {
  id: string;
  name: string;
}

interface Verb {
  path: string;
  action: BulkAction<Target>;
}

interface Asked extends Verb {
  target: Target;
}

/** What is to be done, if the words begin with it, and the rest of them. */
function spoken(words: string, verbs: readonly Verb[]): { verb: readonly Verb[] | undefined; rest: string } {
  const begins = (label: string) => words.toLowerCase().startsWith(`${label.toLowerCase()} `);
  const verb = verbs.filter(({ action }) => begins(action.label));
  const label = verb[0]?.action.label;
  return label === undefined ? { verb: undefined, rest: words } : { verb, rest: words.slice(label.length).trim() };
}
