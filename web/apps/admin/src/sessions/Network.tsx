import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { SessionView, Severity } from '@oriel/api/management';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sampled } from '../live/patch.ts';
import { Spark } from '../ui/Spark.tsx';
import { bandwidth, bytes, millis } from '../ui/time.ts';

/** A sample every five seconds: ten minutes of them. */
const SAMPLES = 120;

export function Level({ level }: { level: Severity }) {
  const { t } = useTranslation();
  if (level === 'normal') return null;
  return <Text component="span" size="xs" fw={600} c={level === 'critical' ? 'red' : 'orange.9'}>{t(`severity.${level}`)}</Text>;
}

export function RoundTrip({ session }: { session: SessionView }) {
  const { i18n } = useTranslation();
  const time = session.connection?.round_trip_ms;
  if (time == null) return <>–</>;
  return <>{millis(time, i18n.language)} <Level level={session.severity.round_trip} /></>;
}

interface Samples {
  connection: string;
  at: number;
  roundTrip: number[];
  toClient: number[];
  toHost: number[];
}

/** The network of the session's connection, as it is and was while this page was open. `at`: when it was read. */
export function Network({ session, at }: { session: SessionView; at: number }) {
  const { t, i18n } = useTranslation();
  const connection = session.connection ?? null;
  const [samples, setSamples] = useState<Samples>({ connection: '', at: 0, roundTrip: [], toClient: [], toHost: [] });
  useEffect(() => {
    if (connection === null) return;
    setSamples((before) => {
      if (before.at === at && before.connection === connection.id) return before;
      const known = before.connection === connection.id ? before : { roundTrip: [], toClient: [], toHost: [] };
      return {
        connection: connection.id,
        at,
        roundTrip: connection.round_trip_ms == null ? known.roundTrip : sampled(known.roundTrip, connection.round_trip_ms, SAMPLES),
        toClient: sampled(known.toClient, connection.kbits_to_client, SAMPLES),
        toHost: sampled(known.toHost, connection.kbits_to_host, SAMPLES),
      };
    });
  }, [connection, at]);
  const inAll = (count: number) => t('session.network.in_all', { bytes: bytes(count, i18n.language) });
  const numbers = connection === null ? [] : [
    { key: 'round-trip', label: t('session.round_trip'), value: <RoundTrip session={session} />, beside: null, line: samples.roundTrip },
    { key: 'to-client', label: t('session.network.to_client'), value: bandwidth(connection.kbits_to_client, i18n.language), beside: inAll(connection.bytes_to_client), line: samples.toClient },
    { key: 'to-host', label: t('session.network.to_host'), value: bandwidth(connection.kbits_to_host, i18n.language), beside: inAll(connection.bytes_to_host), line: samples.toHost },
  ];
  return (
    <Paper withBorder p="md" className="card" data-testid="network">
      <Title order={2} size="h4" mb="sm">{t('session.network.title')}</Title>
      {connection === null && <Text size="sm" c="dimmed">{t('session.network.none')}</Text>}
      <Stack gap="md">
        {numbers.map(({ key, label, value, beside, line }) => (
          <Group key={key} justify="space-between" wrap="nowrap" align="end">
            <div>
              <Text size="sm" c="dimmed">{label}</Text>
              <Text component="div" size="lg" fw={650} data-testid={key}>{value}</Text>
              {beside !== null && <Text size="xs" c="dimmed">{beside}</Text>}
            </div>
            <Spark values={line} most={1} width={160} height={36} />
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}
