import { Group, Table, Text } from '@mantine/core';
import type { AdministratorSession } from '@oriel/api/management';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Ago } from '../ui/Ago.tsx';

/** Sign-ins of administrators: since when, from where and with what. What can be done with each is the page's. */
export function SignInTable({ sessions, who, end, testid }: {
  sessions: AdministratorSession[];
  /** none: all are of one person. */
  who?: (session: AdministratorSession) => ReactNode;
  end: (session: AdministratorSession) => ReactNode;
  testid?: string;
}) {
  const { t } = useTranslation();
  const columns = [...(who ? ['who'] : []), 'since', 'active', 'address', 'browser', 'end'];
  return (
    <Table.ScrollContainer minWidth={500} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table data-testid={testid}>
        <Table.Thead>
          <Table.Tr>{columns.map((column) => <Table.Th key={column}>{t(`signed_in.${column}`)}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.map((session) => (
            <Table.Tr key={session.id}>
              {who && <Table.Td><Group gap="xs">{who(session)}</Group></Table.Td>}
              <Table.Td><Ago when={session.since} /></Table.Td>
              <Table.Td><Ago when={session.active_at} /></Table.Td>
              <Table.Td>{session.address ?? t('value.none')}</Table.Td>
              <Table.Td maw={260}><Text size="xs" lineClamp={2}>{session.browser}</Text></Table.Td>
              <Table.Td><Group gap="xs" wrap="nowrap">{end(session)}</Group></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
