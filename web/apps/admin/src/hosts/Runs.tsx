import { List, Paper, Table, Text } from '@mantine/core';
import { get, type RunList } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { moment } from '../ui/time.ts';

/** How the latest times of a schedule went. */
export default function Runs({ object }: { object: Shown }) {
  const { t, i18n } = useTranslation();
  const found = useQuery({ queryKey: ['runs', object.id], queryFn: ({ signal }) => get<RunList>(`/schedules/${object.id}/runs`, {}, signal) });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (found.data?.items.length === 0) return <Text c="dimmed">{t('runs.nothing')}</Text>;
  return (
    <Paper withBorder className="card">
      <Table.ScrollContainer minWidth={480}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {(['occurrence', 'done', 'given_up', 'withdrawn', 'problems'] as const).map((column) => <Table.Th key={column}>{t(`runs.${column}`)}</Table.Th>)}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.data?.items.map((run) => (
              <Table.Tr key={run.occurrence}>
                <Table.Td>{moment(run.occurrence, i18n.language)}</Table.Td>
                <Table.Td>{run.done}</Table.Td>
                <Table.Td>{run.given_up}</Table.Td>
                <Table.Td>{run.withdrawn}</Table.Td>
                <Table.Td><List size="sm">{run.problems.map(({ host, host_name, text }) => <List.Item key={host}>{host_name}: {text}</List.Item>)}</List></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Paper>
  );
}
