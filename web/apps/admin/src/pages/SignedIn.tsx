import { Badge, Button, Group, Paper, Table, Text } from '@mantine/core';
import { call, get, type AdministratorSession, type AdministratorSessions } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconLogout } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { queries } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Confirm } from '@oriel/look/confirm';
import { Failure } from '../ui/Failure.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';

const LOOK_EVERY_MS = 10_000;
const KEY = ['administrator-sessions'] as const;

/** Administrators who are signed in; any of them can be signed out. */
export default function SignedIn() {
  const { t } = useTranslation();
  const may = useMay();
  const [asked, setAsked] = useState<AdministratorSession | null>(null);
  const found = useQuery({
    queryKey: KEY, refetchInterval: LOOK_EVERY_MS, enabled: may('administrators'),
    queryFn: async ({ signal }) => (await get<AdministratorSessions>('/administrator-sessions', {}, signal)).items,
  });
  const end = useMutation({
    mutationFn: ({ id }: AdministratorSession) => call('DELETE', `/administrator-sessions/${id}`),
    onSuccess: (_, { user_name }) => notify({ tone: 'good', title: t('signed_in.ended', { name: user_name }) }),
    onError: (error) => notifyFailure(error, t),
    onSettled: () => { setAsked(null); void queries.invalidateQueries({ queryKey: KEY }); },
  });
  if (!may('administrators')) return <NotFound />;
  return (
    <>
      <PageHead title={t('nav.signed_in')} />
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.length === 0 && <Text c="dimmed">{t('signed_in.nobody')}</Text>}
      {found.data && found.data.length > 0 && (
        <Paper withBorder className="card">
          <Table.ScrollContainer minWidth={520} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  {(['who', 'since', 'active', 'address', 'browser', 'end'] as const).map((column) => <Table.Th key={column}>{t(`signed_in.${column}`)}</Table.Th>)}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {found.data.map((session) => (
                  <Table.Tr key={session.id}>
                    <Table.Td><Group gap="xs">{session.user_name}{session.own && <Badge variant="light" tt="none">{t('signed_in.own')}</Badge>}</Group></Table.Td>
                    <Table.Td><Ago when={session.since} /></Table.Td>
                    <Table.Td><Ago when={session.active_at} /></Table.Td>
                    <Table.Td>{session.address ?? t('value.none')}</Table.Td>
                    <Table.Td maw={260}><Text size="xs" lineClamp={2}>{session.browser}</Text></Table.Td>
                    <Table.Td>
                      <Button size="compact-sm" variant="light" color="red" leftSection={<IconLogout size={14} aria-hidden />} aria-label={t('signed_in.end_named', { name: session.user_name })} onClick={() => setAsked(session)}>{t('signed_in.end')}</Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Paper>
      )}
      <Confirm
        opened={asked !== null} close={() => setAsked(null)} title={t('signed_in.end_named', { name: asked?.user_name ?? '' })} text={t('signed_in.ask')} action={t('signed_in.end')} busy={end.isPending}
        onConfirm={() => asked && end.mutate(asked)}
      />
    </>
  );
}
