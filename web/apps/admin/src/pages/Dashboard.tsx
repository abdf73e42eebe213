import { Alert, Anchor, Badge, Group, List, Paper, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { FarmStatus, GatewayView, HostView } from '@oriel/api/management';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { Suspense, lazy } from 'react';
import { useTranslation } from 'react-i18next';
import { Subjects } from '../audit/Subjects.tsx';
import { colourOf, partsOf } from '../audit/codes.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { pageOf } from '../kinds.ts';
import { SPANS, history, points } from '../load/history.ts';
import { all, entries, list, status } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Failure } from '../ui/Failure.tsx';
import { HostHealth, healthOf } from '../ui/HostHealth.tsx';
import { Link, PlainLink } from '../ui/Link.tsx';
import { Spark } from '../ui/Spark.tsx';
import { ago, percent } from '../ui/time.ts';
import { authorOf } from '../ui/words.ts';
import { translated } from '../i18n/index.ts';

// Half of what this page loads: fetched with the page, by whoever points at its link, and not after its first picture.
const charts = import('../load/LoadCharts.tsx');
const LoadCharts = lazy(() => charts);
const StartCard = lazy(() => import('../start/StartCard.tsx'));

const STANDING_OUT = 6;
const NEWEST = 8;

/** What is wrong and what to do about it, what runs, load over the last hours, and what has been changed. */
export default function Dashboard() {
  const { t } = useTranslation();
  const may = useMay();
  const farm = useQuery(status);
  if (farm.isError && farm.data === undefined) return <Failure error={farm.error} retry={() => void farm.refetch()} />;
  return (
    <>
      <PageHead title={t('nav.dashboard')} />
      {farm.data && (
        <Stack>
          <Suspense><StartCard /></Suspense>
          <Wrong farm={farm.data} />
          <Running farm={farm.data} />
          {may('hosts') && (
            <section aria-labelledby="load">
              <Title order={2} size="h4" mb="xs" id="load">{t('load.title')}</Title>
              <Suspense fallback={<Skeleton h={316} />}><LoadCharts /></Suspense>
            </section>
          )}
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            {may('hosts') && <StandOut />}
            {may('audit') && <Newest />}
          </SimpleGrid>
        </Stack>
      )}
    </>
  );
}

interface Trouble {
  key: string;
  title: string;
  advice: string;
  to: string;
  search?: Record<string, unknown>;
  severe: boolean;
}

function Wrong({ farm }: { farm: FarmStatus }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const hosts = useQuery({ ...all<HostView>('hosts', { filter: 'spec.enabled:true' }), enabled: may('hosts') });
  const gateways = useQuery({ ...all<GatewayView>('gateways', { filter: 'state.reachable:false' }), enabled: may('infrastructure') });
  const troubles = troublesOf(farm, hosts.data ?? [], gateways.data ?? [], t, i18n.language);
  return (
    <section aria-labelledby="wrong">
      <Title order={2} size="h4" mb="xs" id="wrong">{t('dashboard.wrong')}</Title>
      {troubles.length === 0 ? (
        <Alert color="green" variant="light" icon={<IconCircleCheck aria-hidden />} title={t('dashboard.well')} data-testid="well" />
      ) : (
        <Stack gap="xs" data-testid="troubles">
          {troubles.map(({ key, title, advice, to, search, severe }) => (
            <Alert key={key} color={severe ? 'red' : 'orange'} variant="light" icon={<IconAlertTriangle aria-hidden />} title={title}>
              {advice} <Link to={to} {...(search ? { search } : {})} size="sm" underline="always" c="inherit" fw={600}>{t('dashboard.look')}</Link>
            </Alert>
          ))}
        </Stack>
      )}
    </section>
  );
}

function troublesOf(farm: FarmStatus, hosts: HostView[], gateways: GatewayView[], t: TFunction, language: string): Trouble[] {
  const away = hosts.filter((host) => healthOf(host).key === 'away');
  const unhealthy = hosts.filter((host) => healthOf(host).key === 'unhealthy');
  const critical = hosts.filter((host) => healthOf(host).key === 'critical');
  // Away ones are told above; here nobody gets in although they are there.
  const open = new Set(hosts.filter(takesLogons).map(({ spec }) => spec.pool));
  const closed = [...new Set(hosts.filter(({ state }) => state.reachable).map(({ spec }) => spec.pool))].filter((pool) => !open.has(pool));
  const names = (rows: { name: string }[]) => rows.slice(0, 3).map(({ name }) => name).join(', ') + (rows.length > 3 ? ' …' : '');
  const one = (rows: { id: string }[], plural: string) => (rows.length === 1 && rows[0] ? `/${plural}/${rows[0].id}` : `/${plural}`);
  const troubles: (Trouble | false)[] = [
    farm.hosts.total === 0 && { key: 'no_hosts', title: t('trouble.no_hosts.title'), advice: t('trouble.no_hosts.advice'), to: '/hosts/add', severe: false },
    farm.hosts.total > 0 && farm.resources === 0 && { key: 'nothing', title: t('trouble.nothing.title'), advice: t('trouble.nothing.advice'), to: '/publishing/add', severe: false },
    farm.gateways.total === 0 && { key: 'no_gateways', title: t('trouble.no_gateways.title'), advice: t('trouble.no_gateways.advice'), to: '/invitations', severe: true },
    away.length > 0 && { key: 'away', title: t('trouble.away.title', { count: away.length, names: names(away) }), advice: t('trouble.away.advice'), to: one(away, 'hosts'), search: away.length > 1 ? { f: 'away' } : { tab: 'state' }, severe: true },
    unhealthy.length > 0 && { key: 'unhealthy', title: t('trouble.unhealthy.title', { count: unhealthy.length, names: names(unhealthy) }), advice: translated(unhealthy[0]?.state.problem ?? ''), to: one(unhealthy, 'hosts'), severe: true },
    ...closed.map((pool): Trouble => ({ key: `closed ${pool}`, title: t('trouble.closed.title', { name: names(hosts.filter(({ spec }) => spec.pool === pool)) }), advice: t('trouble.closed.advice'), to: `/pools/${pool}`, search: { tab: 'hosts' }, severe: false })),
    critical.length > 0 && { key: 'critical', title: t('trouble.critical.title', { count: critical.length, names: names(critical) }), advice: t('trouble.critical.advice'), to: one(critical, 'hosts'), search: critical.length > 1 ? { sort: '-state.cpu_load' } : { tab: 'state' }, severe: false },
    gateways.length > 0 && { key: 'gateways', title: t('trouble.gateways.title', { count: gateways.length, names: names(gateways) }), advice: t('trouble.gateways.advice'), to: one(gateways, 'gateways'), severe: true },
    ...farm.certificates.filter(({ standing }) => standing !== 'good').map((held): Trouble => ({
      key: `certificate ${held.sha256}`,
      title: t(`trouble.certificate.${held.standing}`, { name: held.name, when: ago(held.not_after, language) }),
      advice: t(`trouble.certificate.${held.holder}`),
      ...(held.gateway ? { to: `/gateways/${held.gateway}`, search: { tab: 'state' } } : { to: '/brokers' }),
      severe: held.standing !== 'ending',
    })),
    farm.syslog?.failure != null && { key: 'syslog', title: t('trouble.syslog.title'), advice: translated(farm.syslog.failure.why), to: '/audit', severe: true },
    farm.unreadable_objects > 0 && { key: 'unreadable', title: t('trouble.unreadable.title', { count: farm.unreadable_objects }), advice: t('trouble.unreadable.advice'), to: '/audit', severe: true },
    farm.backup?.failure != null && { key: 'backup', title: t('trouble.backup.title'), advice: translated(farm.backup.failure.why), to: '/backups', severe: true },
    farm.backup != null && !farm.backup.enabled && { key: 'no_backup', title: t('trouble.no_backup.title'), advice: t('trouble.no_backup.advice'), to: '/backups', severe: false },
  ];
  return troubles.filter((trouble) => trouble !== false);
}

const takesLogons = ({ state }: HostView): boolean => state.reachable && state.logon_mode === 'enabled';

function Running({ farm }: { farm: FarmStatus }) {
  const { t } = useTranslation();
  const may = useMay();
  const tiles = [
    { key: 'sessions', to: '/sessions', area: 'sessions', number: farm.sessions.total, text: t('dashboard.sessions', { active: farm.sessions.active, disconnected: farm.sessions.disconnected }) },
    { key: 'hosts', to: '/hosts', area: 'hosts', number: farm.hosts.total, text: t('dashboard.hosts', { reachable: farm.hosts.reachable, unhealthy: farm.hosts.unhealthy }) },
    { key: 'gateways', to: '/gateways', area: 'infrastructure', number: farm.gateways.total, text: t('dashboard.gateways', { reachable: farm.gateways.reachable, connections: farm.gateways.connections }) },
    { key: 'resources', to: '/publishing', area: 'publishing', number: farm.resources, text: t('dashboard.resources') },
    { key: 'users', to: '/users', area: 'directory', number: farm.users, text: t('dashboard.users') },
  ] as const;
  return (
    <section aria-labelledby="running">
      <Title order={2} size="h4" mb="xs" id="running">{t('dashboard.running')}</Title>
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" data-testid="tiles">
        {tiles.filter(({ area }) => may(area)).map(({ key, to, number, text }) => (
          <Anchor key={key} component={PlainLink} to={to} underline="never" c="inherit">
            <Paper withBorder p="md" h="100%" className="card">
              <Text size="sm" fw={600}>{t(`dashboard.tile.${key}`)}</Text>
              <Text fz={28} fw={650} lh={1.2}>{number}</Text>
              <Text size="xs" c="dimmed">{text}</Text>
            </Paper>
          </Anchor>
        ))}
      </SimpleGrid>
      <Text size="xs" c="dimmed" mt="xs">{t('dashboard.broker', { name: farm.broker_name, version: farm.version })}</Text>
    </section>
  );
}

/** The last hour of each: whether it has been busy for long or just now. */
const HOUR = SPANS[0];

function StandOut() {
  const { t } = useTranslation();
  const hosts = useInfiniteQuery(list<HostView>('hosts', { sort: '-state.cpu_load,-state.sessions,name', limit: STANDING_OUT }));
  const rows = hosts.data?.pages[0]?.items ?? [];
  return (
    <Paper withBorder p="md" className="card" component="section" aria-labelledby="stand-out">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="stand-out">{t('dashboard.stand_out')}</Title>
        <Link to="/hosts" search={{ sort: '-state.cpu_load' }} size="sm" underline="always">{t('dashboard.all_hosts')}</Link>
      </Group>
      {rows.length === 0 && <Text size="sm" c="dimmed">{t('kinds.host.nothing')}</Text>}
      <Stack gap="xs">
        {rows.map((host) => (
          <Group key={host.id} justify="space-between" wrap="nowrap" gap="sm">
            <Group gap="xs" miw={0} wrap="nowrap">
              <Link to={pageOf('host', host.id)} search={{ tab: 'state' }} size="sm" fw={600} truncate>{host.name}</Link>
              <HostHealth host={host} />
            </Group>
            <Group gap="md" wrap="nowrap">
              <Text size="sm" visibleFrom="xs">{t('dashboard.host_sessions', { count: host.state.sessions })}</Text>
              <LastHour host={host} />
            </Group>
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}

function LastHour({ host }: { host: HostView }) {
  const { i18n } = useTranslation();
  const kept = useQuery(history(HOUR, host.id));
  const cpu = host.state.cpu_load;
  const values = [...points(kept.data?.items ?? [], undefined).map((point) => point.cpu ?? 0), ...(cpu == null ? [] : [cpu])];
  return (
    <Group gap={6} wrap="nowrap" fz="sm">
      <Text inherit w={44} ta="right">{cpu == null ? '–' : percent(cpu, i18n.language)}</Text>
      <Spark values={values} most={1} width={80} height={24} />
    </Group>
  );
}

function Newest() {
  const { t } = useTranslation();
  const log = useInfiniteQuery(entries({ code: 'settings', limit: NEWEST }));
  const items = log.data?.pages[0]?.items ?? [];
  return (
    <Paper withBorder p="md" className="card" component="section" aria-labelledby="newest">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="newest">{t('dashboard.newest')}</Title>
        <Link to="/audit" search={{ code: 'settings' }} size="sm" underline="always">{t('dashboard.all_changes')}</Link>
      </Group>
      <List listStyleType="none" spacing="xs" size="sm">
        {items.map((entry) => (
          <List.Item key={entry.number}>
            <Badge variant="light" tt="none" size="sm" mr={6} color={colourOf(entry)}>{t(`audit.code.settings.${partsOf(entry.code).what}`)}</Badge>
            <Subjects subjects={entry.subjects} isGone={entry.code === 'settings.deleted'} />
            <Text component="span" size="xs" c="dimmed"> · {authorOf(entry.author.name, t)} <span style={{ whiteSpace: 'nowrap' }}>· <Link to={`/audit/${entry.number}`} inherit c="inherit" underline="always"><Ago when={entry.at} /></Link></span></Text>
          </List.Item>
        ))}
      </List>
    </Paper>
  );
}
