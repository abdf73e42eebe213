import { Badge, EmptyState } from '@mantine/core';
import type { Query, SessionView } from '@oriel/api/management';
import { IconDeviceDesktopOff } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { anyOf } from '../list/filter.ts';
import { ListView, type Column } from '../list/List.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Link } from '../ui/Link.tsx';
import { duration, millis } from '../ui/time.ts';
import { Level, RoundTrip } from './Network.tsx';
import { useSessionActions } from './actions.tsx';

const COLOURS: Record<string, string> = { active: 'green', disconnected: 'gray', prepared: 'blue', ending: 'yellow' };

export function SessionState({ session }: { session: SessionView }) {
  const { t } = useTranslation();
  return <Badge variant="light" tt="none" color={COLOURS[session.state] ?? 'gray'}>{t(`session.state.${session.state}`)}</Badge>;
}

function columnsOf(t: TFunction, language: string, mayHosts: boolean): Column<SessionView>[] {
  return [
    { key: 'user', label: t('kinds.user.one'), sort: 'user_name', narrow: true, render: (row) => <Link to={`/sessions/${row.id}`} inherit fw={600}>{row.user_name}</Link> },
    { key: 'state', label: t('session.state_label'), sort: 'state', width: 130, narrow: true, render: (row) => <SessionState session={row} /> },
    { key: 'resource', label: t('session.resource'), sort: 'resource_name', render: (row) => row.resource_name },
    { key: 'host', label: t('kinds.host.one'), sort: 'host_name', render: (row) => (mayHosts ? <Link to={`/hosts/${row.host}`} inherit underline="always">{row.host_name}</Link> : row.host_name) },
    { key: 'client', label: t('session.client'), sort: 'client.name', render: (row) => row.client.name || row.client.address },
    { key: 'idle', label: t('session.idle'), sort: 'idle_secs', width: 140, render: (row) => <>{duration(row.idle_secs)} <Level level={row.severity.idle} /></> },
    { key: 'round_trip', label: t('session.round_trip'), sort: 'connection.round_trip_ms', width: 140, render: (row) => <RoundTrip session={row} /> },
    { key: 'started', label: t('session.started'), sort: 'started_at', width: 150, render: (row) => <Ago when={row.started_at} /> },
    { key: 'logon', label: t('session.logon_time'), sort: 'logon.total_ms', width: 110, optional: true, render: (row) => (row.logon?.total_ms == null ? '–' : millis(row.logon.total_ms, language)) },
    { key: 'programs', label: t('session.programs'), optional: true, render: (row) => row.programs.join(', ') },
    { key: 'address', label: t('session.address'), sort: 'client.address', optional: true, render: (row) => row.client.address },
    { key: 'account', label: t('session.account'), sort: 'account', optional: true, render: (row) => row.account },
  ];
}

const nameOf = (row: SessionView) => `${row.user_name} · ${row.resource_name}`;

/** Sessions, live; within a host's or user's page only theirs. */
export function SessionList({ query, within = false }: { query?: Query; within?: boolean }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const actions = useSessionActions();
  const mayHosts = may('hosts');
  const columns = useMemo(() => columnsOf(t, i18n.language, mayHosts), [t, i18n.language, mayHosts]);
  return (
    <ListView<SessionView>
      path="sessions" label={t('nav.sessions')} columns={columns} within={within} searchLabel={t('session.search')} nameOf={nameOf}
      {...(query ? { query } : {})}
      search={(words) => ({ filter: anyOf(['user_name', 'host_name', 'resource_name'], words) })}
      filters={[
        { key: 'active', label: t('session.state.active'), filter: 'state:active' },
        { key: 'disconnected', label: t('session.state.disconnected'), filter: 'state:disconnected' },
        { key: 'idle', label: t('session.filter.idle'), filter: 'severity.idle!:normal' },
        { key: 'slow', label: t('session.filter.slow'), filter: 'severity.round_trip!:normal' },
      ]}
      bulk={may('sessions', 'control') ? actions : []}
      empty={<EmptyState icon={<IconDeviceDesktopOff />} title={t('session.nothing')} description={t('session.nothing_text')} />}
    />
  );
}
