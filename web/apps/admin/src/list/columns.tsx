/** The columns of each kind's list. */
import { Badge, Group, Text, Tooltip } from '@mantine/core';
import type { GatewayView, HostView, InvitationView, NotificationView, PoolView, ScheduleView, TokenView } from '@oriel/api/management';
import type { TFunction } from 'i18next';
import { at, formOf } from '../form/fields.ts';
import { Name, Names } from '../form/Names.tsx';
import { Value } from '../form/Value.tsx';
import { choiceOf, labelOf } from '../form/words.ts';
import { pageOf } from '../kinds.ts';
import type { Shown } from '../queries.ts';
import { Ago } from '../ui/Ago.tsx';
import { Link } from '../ui/Link.tsx';
import { HostHealth, LoadCell } from '../ui/HostHealth.tsx';
import { PoolHealth, PoolLoad } from '../ui/PoolHealth.tsx';
import { authorOf } from '../ui/words.ts';
import type { Column } from './List.tsx';

/** Fields of the spec that a kind's list shows. */
const FIELDS: Record<string, string[]> = {
  pool: ['enabled', 'description'],
  group: ['description'],
  user: ['full_name', 'enabled', 'groups', 'account'],
  policy: ['order', 'enabled', 'description'],
  logon_hours: ['order', 'enabled', 'description'],
  schedule: ['action', 'target', 'enabled'],
  site: ['description'],
  broker: ['description', 'gateway_addresses', 'agent_addresses'],
  gateway: ['enabled', 'public_address'],
  administrator: ['who', 'role', 'enabled', 'email'],
  notification: ['event', 'enabled'],
  token: ['role', 'expires_at', 'description'],
  invitation: ['role', 'expires_at', 'pool'],
  farm: [],
};
/** The one that a narrow screen shows beside the name, where nothing else is. */
const NARROW: Record<string, string> = {
  pool: 'enabled', group: 'description', user: 'full_name', policy: 'enabled', logon_hours: 'enabled', site: 'description', administrator: 'role', notification: 'event', token: 'role',
};
const OPTIONAL = new Set(['account', 'gateway_addresses', 'agent_addresses']);
const SORTABLE = new Set(['switch', 'text', 'number', 'choice', 'moment', 'local_time']);

export function columnsOf(kind: string, t: TFunction): Column<Shown>[] {
  const form = formOf(kind);
  const name: Column<Shown> = {
    key: 'name', label: t('field.name'), sort: 'name', narrow: true,
    render: (row) => <Link to={pageOf(kind, row.id)} inherit fw={600}>{row.name}</Link>,
  };
  const fields = (FIELDS[kind] ?? []).flatMap((field): Column<Shown>[] => {
    const facts = form.fields[field];
    if (!facts) return [];
    return [{
      key: field, label: labelOf(form.name ?? '', field, t),
      ...(SORTABLE.has(facts.is) ? { sort: `spec.${field}` } : {}),
      ...(facts.is === 'switch' ? { width: 110 } : facts.is === 'number' ? { width: 180 } : facts.is === 'moment' ? { width: 190 } : {}),
      ...(NARROW[kind] === field ? { narrow: true } : {}),
      ...(OPTIONAL.has(field) ? { optional: true } : {}),
      render: (row) => {
        const value = at(row.spec, [field]);
        if (facts.is === 'list' && facts.of.is === 'link') return <Names kind={facts.of.kind} ids={(value as string[] | undefined) ?? []} />;
        return <Value field={facts} name={field} value={value} />;
      },
    }];
  });
  return [name, ...(EXTRA[kind]?.(t) ?? []), ...fields, ...common(t, kind)];
}

const common = (t: TFunction, kind: string): Column<Shown>[] => [
  ...(['pool', 'gateway', 'broker', 'host'].includes(kind)
    ? [{ key: 'site', label: t('field.site'), optional: kind === 'pool' || kind === 'gateway', render: (row: Shown) => (row.site ? <Name kind="site" id={row.site} /> : <Text inherit c="dimmed">{t('value.every_site')}</Text>) }]
    : []),
  { key: 'changed_at', label: t('list.changed'), sort: 'changed_at', width: 140, optional: kind === 'host', render: (row) => <Ago when={row.changed_at} /> },
  { key: 'changed_by', label: t('list.changed_by'), sort: 'changed_by', width: 170, optional: true, render: (row) => authorOf(row.changed_by, t) },
];

const EXTRA: Record<string, (t: TFunction) => Column<Shown>[]> = {
  host: (t) => [
    { key: 'health', label: t('host.state'), narrow: true, width: 150, render: (row) => <HostHealth host={row as unknown as HostView} /> },
    { key: 'sessions', label: t('nav.sessions'), sort: 'state.sessions', width: 120, narrow: true, render: (row) => {
      const { state, effective } = row as unknown as HostView;
      return `${state.sessions} / ${effective.max_sessions}`;
    } },
    { key: 'load', label: t('host.load'), sort: 'state.cpu_load', width: 150, render: (row) => <LoadCell host={row as unknown as HostView} /> },
    { key: 'mode', label: labelOf('Host', 'logon_mode', t), sort: 'spec.logon_mode', width: 150, render: (row) => <LogonMode host={row as unknown as HostView} t={t} /> },
    { key: 'pool', label: labelOf('Host', 'pool', t), render: (row) => <Name kind="pool" id={(row as unknown as HostView).spec.pool} /> },
    { key: 'version', label: t('host.agent'), sort: 'state.agent_version', width: 110, render: (row) => (row as unknown as HostView).state.agent_version ?? '–' },
    { key: 'os', label: t('host.system'), sort: 'state.operating_system', optional: true, render: (row) => (row as unknown as HostView).state.operating_system ?? '–' },
  ],
  gateway: (t) => [
    { key: 'state', label: t('host.state'), width: 120, narrow: true, render: (row) => {
      const { state } = row as unknown as GatewayView;
      return <Badge variant="light" tt="none" color={state.reachable ? (state.draining ? 'yellow' : 'green') : 'red'}>{t(state.reachable ? (state.draining ? 'gateway.draining' : 'gateway.connected') : 'gateway.away')}</Badge>;
    } },
    { key: 'connections', label: t('gateway.connections'), sort: 'state.connections', width: 140, render: (row) => (row as unknown as GatewayView).state.connections },
    { key: 'version', label: t('gateway.version'), sort: 'state.version', width: 100, render: (row) => (row as unknown as GatewayView).state.version ?? '–' },
  ],
  schedule: (t) => [{ key: 'next', label: t('schedule.next'), width: 140, narrow: true, render: (row) => {
    const { state } = row as unknown as ScheduleView;
    return state.next ? <Ago when={state.next} /> : <Text inherit c="dimmed">{t('schedule.never')}</Text>;
  } }],
  notification: (t) => [{ key: 'sent', label: t('notification.last_sent'), width: 190, render: (row) => {
    const { state } = row as unknown as NotificationView;
    if (state.failure) return <Badge variant="light" color="red" tt="none">{t('notification.not_sent')}</Badge>;
    return state.last_sent ? <Ago when={state.last_sent} /> : <Text inherit c="dimmed">{t('notification.never_sent')}</Text>;
  } }],
  invitation: (t) => [{ key: 'state', label: t('host.state'), width: 110, narrow: true, render: (row) => {
    const { state } = row as unknown as InvitationView;
    return <Badge variant="light" tt="none" color={state === 'open' ? 'green' : 'gray'}>{t(`invitation.${state}`)}</Badge>;
  } }],
  pool: (t) => [
    { key: 'state', label: t('host.state'), narrow: true, width: 150, render: (row) => <PoolHealth pool={row as unknown as PoolView} /> },
    { key: 'open', label: t('pool.open'), sort: 'state.open', width: 190, render: (row) => {
      const { open, hosts } = (row as unknown as PoolView).state;
      return t('pool.open_of', { open, hosts });
    } },
    { key: 'sessions', label: t('nav.sessions'), sort: 'state.sessions', width: 110, narrow: true, render: (row) => {
      const { sessions, places } = (row as unknown as PoolView).state;
      return `${sessions} / ${places}`;
    } },
    { key: 'load', label: t('host.load'), sort: 'state.cpu_load', width: 150, render: (row) => <PoolLoad pool={row as unknown as PoolView} /> },
  ],
  token: (t) => [
    { key: 'owner', label: t('token.owner'), sort: 'owner.name', width: 170, render: (row) => {
      const { owner } = row as unknown as TokenView;
      return owner ? <Link to={pageOf('user', owner.id)}>{owner.name}</Link> : <Text inherit c="dimmed">{t('token.nobody')}</Text>;
    } },
    { key: 'used', label: t('token.used'), sort: 'last_used_at', width: 150, render: (row) => {
      const { last_used_at: used } = row as unknown as TokenView;
      return used ? <Ago when={used} /> : <Text inherit c="dimmed">{t('token.never_used')}</Text>;
    } },
  ],
  user: (t) => [{ key: 'password', label: t('user.password'), width: 130, optional: true, render: (row) => t((row as unknown as { has_password: boolean }).has_password ? 'value.yes' : 'value.no') }],
};

function LogonMode({ host, t }: { host: HostView; t: TFunction }) {
  const mode = host.spec.logon_mode ?? 'enabled';
  const label = choiceOf('LogonMode', mode, t);
  if (mode === 'enabled') return <>{label}</>;
  return (
    <Tooltip label={t('host.mode_help')}>
      <Group gap={4}><Badge variant="light" color="yellow" tt="none">{label}</Badge></Group>
    </Tooltip>
  );
}
