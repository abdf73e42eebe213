import { Badge, Group, Text } from '@mantine/core';
import type { PoolView } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { history, points } from '../load/history.ts';
import { Spark } from './Spark.tsx';
import { percent } from './time.ts';

/** One word for how the hosts of a pool are. */
export function PoolHealth({ pool }: { pool: PoolView }) {
  const { t } = useTranslation();
  const { key, colour } = poolHealthOf(pool);
  return <Badge variant="light" color={colour} tt="none">{t(key)}</Badge>;
}

export function poolHealthOf({ spec, state: { hosts, open } }: PoolView): { key: string; colour: string } {
  if (spec.enabled === false) return { key: 'host.health.disabled', colour: 'gray' };
  if (hosts === 0) return { key: 'pool.empty', colour: 'gray' };
  if (open === 0) return { key: 'pool.closed', colour: 'red' };
  return open < hosts ? { key: 'pool.some', colour: 'yellow' } : { key: 'pool.well', colour: 'green' };
}

/** The use of a pool's processors, now and over the last hour. */
export function PoolLoad({ pool }: { pool: PoolView }) {
  const { i18n } = useTranslation();
  const kept = useQuery(history(60, undefined, pool.id));
  const { cpu_load: load } = pool.state;
  if (load == null) return <>–</>;
  return (
    <Group gap={6} wrap="nowrap">
      <Text inherit w={44}>{percent(load, i18n.language)}</Text>
      <Spark values={points(kept.data?.items ?? [], kept.data?.now).flatMap(({ cpu }) => (cpu === null ? [] : [cpu]))} most={1} width={80} height={24} />
    </Group>
  );
}
