import { Alert, Button, Paper, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { Refusal, get, post, type Processes, type ProcessView, type SessionView } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { choiceOf } from '../form/words.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { Act, type BulkAction } from '../list/Bulk.tsx';
import { Name } from '../form/Names.tsx';
import { object, queries } from '../queries.ts';
import { useSessionActions } from '../sessions/actions.tsx';
import { Logon } from '../sessions/Logon.tsx';
import { Network } from '../sessions/Network.tsx';
import { SessionState } from '../sessions/SessionList.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { Confirm } from '@oriel/look/confirm';
import { Failure } from '../ui/Failure.tsx';
import { LinkButton } from '../ui/Link.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { bytes, duration, percent } from '../ui/time.ts';

/** Idle times and traffic run on without an event; gateways measure every five seconds. */
const REFRESH_MS = 5_000;
const PROCESSES_EVERY_MS = 5_000;

export default function Session() {
  const { t } = useTranslation();
  const { id } = useParams({ strict: false }) as { id: string };
  const may = useMay();
  const session = useQuery({ ...object<SessionView>('sessions', id), refetchInterval: (query) => (query.state.data === null || query.state.status === 'error' ? false : REFRESH_MS) });
  const actions = useSessionActions();
  const [asked, setAsked] = useState<BulkAction<SessionView> | null>(null);
  const crumbs = [{ label: t('nav.sessions'), to: '/sessions' }];

  if (session.data === null || (session.error instanceof Refusal && session.error.status === 404)) {
    return (
      <>
        <PageHead title={t('session.over')} crumbs={crumbs} />
        <Alert color="frame" variant="light">{t('session.over_text')}</Alert>
        <LinkButton to="/sessions" mt="md" variant="default">{t('session.back')}</LinkButton>
      </>
    );
  }
  if (session.isError && session.data === undefined) return <Failure error={session.error} retry={() => void session.refetch()} />;
  const view = session.data;
  if (view === undefined) return <PageHead title={t('loading')} crumbs={crumbs} />;
  const facts: Fact[] = [
    [t('kinds.user.one'), view.user && may('directory') ? <Name key="u" kind="user" id={view.user} /> : view.user_name],
    [t('session.resource'), view.resource && may('publishing') ? <Name key="r" kind="resource" id={view.resource} /> : view.resource_name],
    [t('kinds.host.one'), may('hosts') ? <Name key="h" kind="host" id={view.host} /> : view.host_name],
    [t('session.started'), <Ago key="s" when={view.started_at} />],
    [t('session.idle'), duration(view.idle_secs)],
    ...(view.left_at ? ([[t('session.left'), <Ago key="l" when={view.left_at} />]] as [string, React.ReactNode][]) : []),
    [t('session.programs'), view.programs.join(', ') || t('value.none')],
    [t('session.account'), view.account],
  ];
  const client: [string, React.ReactNode][] = [
    [t('session.client_name'), view.client.name || t('value.none')],
    [t('session.client_kind'), [view.client.kind && choiceOf('ClientKind', view.client.kind, t), view.client.version].filter(Boolean).join(' ') || t('value.none')],
    [t('host.system'), (view.client.operating_system && choiceOf('ClientOs', view.client.operating_system, t)) || t('value.none')],
    [t('session.address'), view.client.address || t('value.none')],
  ];

  return (
    <>
      <PageHead
        title={t('session.title', { user: view.user_name, resource: view.resource_name })} crumbs={crumbs} beside={<SessionState session={view} />}
        actions={may('sessions', 'control') && actions.map((action) => (
          <Button
            key={action.key} variant={action.danger ? 'light' : 'default'} color={action.danger ? 'red' : 'frame'} leftSection={<action.icon size={18} aria-hidden />}
            onClick={() => setAsked(action)} data-testid={`do-${action.key}`}
          >
            {action.label}
          </Button>
        ))}
      />
      <Stack>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          {([[t('session.facts'), facts], [t('session.client'), client]] as const).map(([title, rows]) => (
            <Paper key={title} withBorder p="md" className="card">
              <Title order={2} size="h4" mb="sm">{title}</Title>
              <Facts facts={rows} labelWidth="40%" />
            </Paper>
          ))}
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Logon logon={view.logon ?? null} />
          <Network session={view} at={session.dataUpdatedAt} />
        </SimpleGrid>
        <RunningProcesses session={view} />
      </Stack>
      {asked !== null && <Act action={asked} rows={[view]} nameOf={(row) => row.user_name} path="sessions" close={() => setAsked(null)} />}
    </>
  );
}

function RunningProcesses({ session }: { session: SessionView }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [asked, setAsked] = useState<ProcessView | null>(null);
  const key = ['processes', session.id];
  const found = useQuery({
    queryKey: key,
    refetchInterval: PROCESSES_EVERY_MS,
    retry: false,
    queryFn: async ({ signal }) => (await get<Processes>(`/sessions/${session.id}/processes`, {}, signal)).processes,
  });
  const end = useMutation({
    mutationFn: (process: ProcessView) => post(`/sessions/${session.id}/end-process`, { process_id: process.process_id }),
    onSuccess: (_, process) => {
      notify({ tone: 'good', title: t('process.ended', { name: process.name }) });
      setAsked(null);
      void queries.invalidateQueries({ queryKey: key });
    },
    onError: (error) => { setAsked(null); notifyFailure(error, t); },
  });
  return (
    <Paper withBorder p="md" className="card">
      <Title order={2} size="h4" mb="sm">{t('process.title')}</Title>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.length === 0 && <Text size="sm" c="dimmed">{t('process.nothing')}</Text>}
      {found.data && found.data.length > 0 && (
        <Table.ScrollContainer minWidth={300}>
          <Table data-testid="processes">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('process.name')}</Table.Th>
                <Table.Th visibleFrom="sm">{t('process.command')}</Table.Th>
                <Table.Th>{t('process.cpu')}</Table.Th>
                <Table.Th visibleFrom="sm">{t('process.memory')}</Table.Th>
                {may('sessions', 'control') && <Table.Th>{t('process.end')}</Table.Th>}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.data.map((process) => (
                <Table.Tr key={process.process_id}>
                  <Table.Td>{process.name} <Text component="span" size="xs" c="dimmed">{process.process_id}</Text></Table.Td>
                  <Table.Td visibleFrom="sm" maw={380} style={{ overflowWrap: 'anywhere' }}><Text size="xs">{process.command_line}</Text></Table.Td>
                  <Table.Td>{percent(process.cpu_load, i18n.language)}</Table.Td>
                  <Table.Td visibleFrom="sm">{bytes(process.memory_bytes, i18n.language)}</Table.Td>
                  {may('sessions', 'control') && (
                    <Table.Td>
                      <Button size="compact-sm" variant="light" color="red" leftSection={<IconX size={14} aria-hidden />} aria-label={t('process.end_named', { name: process.name })} onClick={() => setAsked(process)}>{t('process.end')}</Button>
                    </Table.Td>
                  )}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Confirm
        opened={asked !== null} close={() => setAsked(null)} title={t('process.end_named', { name: asked?.name ?? '' })} text={t('process.ask')} action={t('process.end')} busy={end.isPending}
        onConfirm={() => asked && end.mutate(asked)}
      />
    </Paper>
  );
}
