import { Alert, Paper, Progress, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { HostView } from '@oriel/api/management';
import { IconAlertTriangle, IconDoorExit } from '@tabler/icons-react';
import { Suspense, lazy } from 'react';
import { useTranslation } from 'react-i18next';
import { useLoad } from '../live/events.ts';
import type { Shown } from '../queries.ts';
import { Ago } from '../ui/Ago.tsx';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { Spark } from '../ui/Spark.tsx';
import { bytes, duration, percent } from '../ui/time.ts';
import { translated } from '../i18n/index.ts';

const LoadCharts = lazy(() => import('../load/LoadCharts.tsx'));

const COLOURS = { normal: 'frame', warning: 'yellow', critical: 'red' } as const;

/** What the host's agent reports. */
export default function HostState({ object }: { object: Shown }) {
  const { t, i18n } = useTranslation();
  const { state, severity, effective } = object as unknown as HostView;
  const load = useLoad(object.id);
  const used = state.memory_total_bytes && state.memory_available_bytes != null ? 1 - state.memory_available_bytes / state.memory_total_bytes : null;
  const gauges = [
    { key: 'cpu', share: state.cpu_load ?? null, level: severity.cpu, words: state.cpu_load == null ? '–' : percent(state.cpu_load, i18n.language), line: load.cpu, most: 1 },
    { key: 'memory', share: used, level: severity.memory, words: used === null ? '–' : `${percent(used, i18n.language)} · ${bytes(state.memory_total_bytes ?? 0, i18n.language)}`, line: [], most: 1 },
    { key: 'sessions', share: effective.max_sessions === 0 ? null : state.sessions / effective.max_sessions, level: severity.sessions, words: `${state.sessions} / ${effective.max_sessions}`, line: load.sessions, most: effective.max_sessions },
  ];
  const { disk_total_bytes: disk, disk_available_bytes: free } = state;
  const facts: Fact[] = [
    [t('host.report'), state.last_report ? <Ago when={state.last_report} /> : t('value.none')],
    [t('host.uptime'), state.uptime_secs == null ? t('value.none') : duration(state.uptime_secs)],
    [t('host.machine'), state.machine_name ?? t('value.none')],
    [t('host.system'), state.operating_system ?? t('value.none')],
    [t('host.software'), state.session_software ?? t('value.none')],
    [t('host.agent'), state.agent_version ?? t('value.none')],
    [t('host.address'), state.rdp_address ?? t('value.none')],
    [t('host.disk'), disk == null || free == null ? t('value.none') : t('host.disk_left', { left: bytes(free, i18n.language), size: bytes(disk, i18n.language) })],
    [t('host.refused'), String(state.refused_logons ?? 0)],
  ];
  return (
    <Stack>
      {!state.reachable && <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('host.health.away')}>{t('host.away_advice')}</Alert>}
      {state.problem && <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('host.health.unhealthy')}>{translated(state.problem)}</Alert>}
      {state.logon_mode === 'drain' && (
        <Alert color={state.sessions === 0 ? 'green' : 'frame'} variant="light" icon={<IconDoorExit aria-hidden />} title={state.sessions === 0 ? t('host.drained.empty') : t('host.drained.left', { count: state.sessions })} data-testid="draining">
          {t(state.sessions === 0 ? 'host.drained.empty_text' : 'host.drained.left_text')}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {gauges.map(({ key, share, level, words, line, most }) => (
          <Paper key={key} withBorder p="md" className="card">
            <Title order={2} size="sm" fw={600}>{t(`host.gauge.${key}`)}</Title>
            <Text size="xl" fw={650}>{words}</Text>
            <Progress value={Math.min(100, (share ?? 0) * 100)} color={COLOURS[level]} aria-label={t(`host.gauge.${key}`)} my={6} />
            {level !== 'normal' && <Text size="xs" fw={600}>{t(`severity.${level}`)}</Text>}
            <Spark values={line} most={most} width={220} height={36} />
          </Paper>
        ))}
      </SimpleGrid>
      <section aria-labelledby="history">
        <Title order={2} size="h4" mb="xs" id="history">{t('load.title')}</Title>
        <Suspense><LoadCharts host={object.id} /></Suspense>
      </section>
      <Paper withBorder p="md" className="card">
        <Facts facts={facts} />
      </Paper>
    </Stack>
  );
}
