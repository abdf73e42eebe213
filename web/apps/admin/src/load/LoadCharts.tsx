/** Charts of load and sessions. Loaded when they are looked at: the kit's charts weigh as much as the rest. */
import '@mantine/charts/styles.css';
import { AreaChart, ChartLegend, LineChart } from '@mantine/charts';
import { Button, Group, Paper, SegmentedControl, SimpleGrid, Stack, Table, Text, Title, getThemeColor, useMantineTheme } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { IconChartLine, IconTable } from '@tabler/icons-react';
import { memo, useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../ui/Failure.tsx';
import { clock, percent } from '../ui/time.ts';
import { SPANS, current, history, most, points, rows, type Point, type Span } from './history.ts';

const HEIGHT_PX = 168;
/** Moments that are named below a chart, at most. */
const TICKS = 6;

/** Of one host, of a pool, or of all. */
export default function LoadCharts({ host, pool }: { host?: string; pool?: string }) {
  const { t } = useTranslation();
  const [span, setSpan] = useState<Span>(SPANS[0]);
  const [asTable, setTable] = useState(false);
  const kept = useQuery({ ...history(span, host, pool), placeholderData: keepPreviousData });
  const now = useQuery(current(host, pool)).data ?? kept.data?.now;
  const all = useMemo(() => points(kept.data?.items ?? [], now), [kept.data, now]);
  if (kept.isError && kept.data === undefined) return <Failure error={kept.error} retry={() => void kept.refetch()} />;
  return (
    <Stack gap="sm" data-testid="load">
      <Group justify="space-between" gap="sm">
        <SegmentedControl size="xs" aria-label={t('load.span')} value={String(span)} onChange={(to) => setSpan(Number(to) as Span)} data={SPANS.map((minutes) => ({ value: String(minutes), label: t('load.hours', { count: minutes / 60 }) }))} />
        <Button size="xs" variant="default" leftSection={asTable ? <IconChartLine size={16} aria-hidden /> : <IconTable size={16} aria-hidden />} onClick={() => setTable(!asTable)} data-testid="load-table">
          {t(asTable ? 'load.as_charts' : 'load.as_table')}
        </Button>
      </Group>
      {asTable ? <Paper withBorder p="sm" className="card"><Told all={all} /></Paper> : (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Shares all={all} />
          <Sessions all={all} />
        </SimpleGrid>
      )}
      {all.length < 3 && <Text size="xs" c="dimmed">{t('load.young')}</Text>}
    </Stack>
  );
}

/** Processor and memory. Drawn again only when there is more to draw. */
const Shares = memo(function Shares({ all }: { all: Point[] }) {
  const { t, i18n } = useTranslation();
  const share = shareIn(i18n.language);
  const last = all.at(-1);
  const series = [{ name: 'cpu', label: t('host.gauge.cpu'), color: 'frame.6' }, { name: 'memory', label: t('host.gauge.memory'), color: 'orange.6', strokeDasharray: '6 3' }];
  const words = t('load.words', { cpu: share(last?.cpu ?? null), most_cpu: share(most(all, 'cpu')), memory: share(last?.memory ?? null) });
  return (
    <Framed title={t('load.load')} words={words} series={series}>
      <LineChart
        {...shape(all, i18n.language)} series={series} valueFormatter={share} lineProps={quiet} lineChartProps={chart}
        yAxisProps={{ domain: [0, 1], width: 52, ticks: [0, 0.25, 0.5, 0.75, 1], ...quiet }}
      />
    </Framed>
  );
});

const Sessions = memo(function Sessions({ all }: { all: Point[] }) {
  const { t, i18n } = useTranslation();
  const last = all.at(-1);
  const series = [{ name: 'active', label: t('load.active'), color: 'frame.6' }, { name: 'disconnected', label: t('load.disconnected'), color: 'gray.6' }];
  const words = t('dashboard.sessions', { active: last?.active ?? 0, disconnected: last?.disconnected ?? 0 });
  return (
    <Framed title={t('load.sessions')} words={words} series={series}>
      <AreaChart
        {...shape(all, i18n.language)} series={series} type="stacked" areaProps={quiet} areaChartProps={chart}
        yAxisProps={{ allowDecimals: false, width: 52, domain: [0, (top: number) => Math.max(4, top)], ...quiet }}
      />
    </Framed>
  );
});

/** A chart with its words and its legend. A legend within the chart would have all of it laid out twice. */
function Framed({ title, words, series, children }: { title: string; words: string; series: { name: string; label: string; color: string }[]; children: ReactNode }) {
  const theme = useMantineTheme();
  const payload = series.map(({ name, color }) => ({ dataKey: name, color: getThemeColor(color, theme) }));
  return (
    <Paper withBorder p="md" className="card">
      <Title order={3} size="sm" fw={600}>{title}</Title>
      <Text size="sm" c="dimmed" mb="sm">{words}</Text>
      <div role="img" aria-label={`${title}: ${words}`}>
        {children}
        <ChartLegend payload={payload} series={series} legendPosition="bottom" onHighlight={() => {}} />
      </div>
    </Paper>
  );
}

/** What is drawn is told beside it, and as a table: nothing in it takes the focus. */
const chart = { accessibilityLayer: false, margin: { top: 10 } };
/** Each minute would set them moving anew; and in layers of their own they would be drawn once more each. */
const quiet = { isAnimationActive: false, zIndex: 0 };

function shape(all: Point[], language: string) {
  const data = all.map((point) => ({ ...point, at: clock(point.at, language) }));
  const step = Math.max(1, Math.ceil(data.length / TICKS));
  const ticks = data.filter((_, index) => index % step === 0).map(({ at }) => at);
  return {
    h: HEIGHT_PX, data, dataKey: 'at', withDots: false, curveType: 'monotone' as const, connectNulls: false, strokeWidth: 2, tickLine: 'none' as const,
    xAxisProps: { ticks, interval: 'equidistantPreserveStart' as const, minTickGap: 24, zIndex: 0 }, gridProps: { zIndex: 0 },
  };
}

const shareIn = (language: string) => (value: number | null) => (value === null ? '–' : percent(value, language));

function Told({ all }: { all: Point[] }) {
  const { t, i18n } = useTranslation();
  const share = shareIn(i18n.language);
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
              <Table.Td><time dateTime={at}>{clock(at, i18n.language)}</time></Table.Td>
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
