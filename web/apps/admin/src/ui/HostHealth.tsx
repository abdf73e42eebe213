import { Badge, Group, Text, Tooltip } from '@mantine/core';
import type { HostView } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { useLoad } from '../live/events.ts';
import { Spark } from './Spark.tsx';
import { percent } from './time.ts';
import { translated } from '../i18n/index.ts';

const COLOURS = { normal: 'green', warning: 'yellow', critical: 'red' } as const;

/** One word for a host's state, and why on pointing at it. */
export function HostHealth({ host }: { host: HostView }) {
  const { t } = useTranslation();
  const { key, colour, why } = healthOf(host);
  const badge = <Badge variant="light" color={colour} tt="none">{t(`host.health.${key}`)}</Badge>;
  return why === '' ? badge : <Tooltip label={why}><Group gap={0}>{badge}</Group></Tooltip>;
}

export function healthOf({ spec, state, severity }: HostView): { key: string; colour: string; why: string } {
  if (spec.enabled === false) return { key: 'disabled', colour: 'gray', why: '' };
  if (!state.reachable) return { key: 'away', colour: 'red', why: '' };
  if (state.problem) return { key: 'unhealthy', colour: 'red', why: translated(state.problem) };
  const worst = (['critical', 'warning'] as const).find((level) => Object.values(severity).includes(level));
  if (worst) return { key: worst, colour: COLOURS[worst], why: '' };
  return { key: 'well', colour: 'green', why: '' };
}

export function LoadCell({ host }: { host: HostView }) {
  const { i18n } = useTranslation();
  const { cpu } = useLoad(host.id);
  if (host.state.cpu_load == null) return <>–</>;
  return (
    <Group gap={6} wrap="nowrap">
      <Text inherit w={44}>{percent(host.state.cpu_load, i18n.language)}</Text>
      <Spark values={cpu} most={1} width={80} height={24} />
    </Group>
  );
}
