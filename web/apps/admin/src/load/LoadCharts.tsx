/** Charts of load and sessions. Loaded when they are looked at: the kit's charts weigh as much as the rest. */
import '@mantine/charts/styles.css';
import { AreaChart, LineChart } from '@mantine/charts';
import { Button, Group, Paper, SegmentedControl, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { IconChartLine, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../ui/Failure.tsx';
import { percent } from '../ui/time.ts';
import { SPANS, current, history, most, points, rows, type Point, type Span } from './history.ts';

const HEIGHT_PX = 200;

/** Of one host, of a pool, or of all. */
export default function LoadCharts({ host, pool }: { host?: string; pool?: string }) {
  const { t, i18n } = useTranslation();
  const [span, setSpan] = useState<Span>(SPANS[0]);
  const [asTable, setTable] = useState(false);
  const kept = useQuery({ ...history(span, host, pool), placeholderData: keepPreviousData });
  const now = useQuery(current(host, pool));
  if (kept.isError && kept.data === undefined) return <Failure error={kept.error} retry={() => void kept.refetch()} />;
  const all = points(kept.data?.items ?? [], now.data ?? kept.data?.now);
  const share = (value: number | null) => (value === null ? '–' : percent(value, i18n.language));
  const last = all.at(-1);
  const charts = [
    {
      key: 'load', words: t('load.words', { cpu: share(last?.cpu ?? null), most_cpu: share(most(all, 'cpu')), memory: share(last?.memory ?? null) }),
      chart: (
        <LineChart
          {...shape(all, i18n.language)} yAxisProps={{ domain: [0, 1], width: 52, ticks: [0, 0.25, 0.5, 0.75, 1] }} valueFormatter={share} lineProps={still}
          lineChartProps={quiet} series={[{ name: 'cpu', label: t('host.gauge.cpu'), color: 'frame.6' }, { name: 'memory', label: t('host.gauge.memory'), color: 'orange.6', strokeDasharray: '6 3' }]}
        />
      ),
    },
    {
      key: 'sessions', words: t('dashboard.sessions', { active: last?.active ?? 0, disconnected: last?.disconnected ?? 0 }),
      chart: (
        <AreaChart
          {...shape(all, i18n.language)} type="stacked" yAxisProps={{ allowDecimals: false, width: 52, domain: [0, (top: number) => Math.max(4, top)] }} areaProps={still}
          areaChartProps={quiet} series={[{ name: 'active', label: t('load.active'), color: 'frame.6' }, { name: 'disconnected', label: t('load.disconnected'), color: 'gray.6' }]}
        />
      ),
    },
  ];
  return (
    <Stack gap="sm" data-testid="load">
      <Group justify="space-between" gap="sm">
        <SegmentedControl size="xs" aria-label={t('load.span')} value={String(span)} onChange={(to) => setSpan(Number(to) as Span)} data={SPANS.map((minutes) => ({ value: String(minutes), label: t('load.hours', { count: minutes / 60 }) }))} />
        <Button size="xs" variant="default" leftSection={asTable ? <IconChartLine size={16} aria-hidden /> : <IconTable size={16} aria-hidden />} onClick={() => setTable(!asTable)} data-testid="load-table">
          {t(asTable ? 'load.as_charts' : 'load.as_table')}
        </Button>
      </Group>
      {asTable ? <Paper withBorder p="sm" className="card"><Told all={all} share={share} /></Paper> : (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          {charts.map(({ key, words, chart }) => (
            <Paper key={key} withBorder p="md" className="card">
              <Title order={3} size="sm" fw={600}>{t(`load.${key}`)}</Title>
              <Text size="sm" c="dimmed" mb="sm">{words}</Text>
              <div role="img" aria-label={`${t(`load.${key}`)}: ${words}`}>{chart}</div>
            </Paper>
          ))}
        </SimpleGrid>
      )}
      {all.length < 3 && <Text size="xs" c="dimmed">{t('load.young')}</Text>}
    </Stack>
  );
}

/** What is drawn is told beside it, and as a table: nothing in it takes the focus. */
const quiet = { accessibilityLayer: false, margin: { top: 10 } };
/** Each minute would set them moving anew. */
const still = { isAnimationActive: false };

function shape(all: Point[], language: string) {
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
  const data = all.map((point) => ({ ...point, at: clock.format(new Date(point.at)) }));
  return { h: HEIGHT_PX, data, dataKey: 'at', withDots: false, withLegend: true, curveType: 'monotone' as const, connectNulls: false, strokeWidth: 2, tickLine: 'none' as const, xAxisProps: { minTickGap: 48 }, legendProps: { verticalAlign: 'bottom' as const, height: 32 } };
}

function Told({ all, share }: { all: Point[]; share: (value: number | null) => string }) {
  const { t, i18n } = useTranslation();
  const clock = new Intl.DateTimeFormat(i18n.language, { timeStyle: 'short' });
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table>
        <Table.Caption>{t('load.table')}</Table.Caption>
        <Table.Thead>
          <Table.Tr>{['load.at', 'host.gauge.cpu', 'host.gauge.memory', 'load.active', 'load.disconnected'].map((key) => <Table.Th key={key} scope="col">{t(key)}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows(all).map(({ at, cpu, memory, active, disconnected }) => (
            <Table.Tr key={at} data-testid="load-row">
              <Table.Td><time dateTime={at}>{clock.format(new Date(at))}</time></Table.Td>
              <Table.Td>{share(cpu)}</Table.Td>
              <Table.Td>{share(memory)}</Table.Td>
              <Table.Td>{active}</Table.Td>
              <Table.Td>{disconnected}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
