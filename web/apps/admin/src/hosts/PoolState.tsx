import { Paper, Stack, Title } from '@mantine/core';
import type { PoolView } from '@oriel/api/management';
import { Suspense, lazy } from 'react';
import { useTranslation } from 'react-i18next';
import type { Shown } from '../queries.ts';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { PoolHealth } from '../ui/PoolHealth.tsx';
import { percent } from '../ui/time.ts';

const LoadCharts = lazy(() => import('../load/LoadCharts.tsx'));

/** How the pool's hosts are, together. */
export default function PoolState({ object }: { object: Shown }) {
  const { t, i18n } = useTranslation();
  const pool = object as unknown as PoolView;
  const { state } = pool;
  const facts: Fact[] = [
    [t('host.state'), <PoolHealth key="state" pool={pool} />],
    [t('pool.open'), t('pool.open_of', { open: state.open, hosts: state.hosts })],
    [t('pool.connected'), t('pool.open_of', { open: state.connected, hosts: state.hosts })],
    [t('nav.sessions'), `${state.sessions} / ${state.places}`],
    [t('host.gauge.cpu'), state.cpu_load == null ? t('value.none') : percent(state.cpu_load, i18n.language)],
  ];
  return (
    <Stack>
      <Paper withBorder p="md" className="card"><Facts facts={facts} /></Paper>
      <section aria-labelledby="history">
        <Title order={2} size="h4" mb="xs" id="history">{t('load.title')}</Title>
        <Suspense><LoadCharts pool={object.id} /></Suspense>
      </section>
    </Stack>
  );
}
