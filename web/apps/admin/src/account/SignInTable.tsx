import { Group, Table } from '@mantine/core';
import type { AdministratorSession } from '@oriel/api/management';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Ago } from '../ui/Ago.tsx';
import { browserOf } from '../ui/browser.ts';

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
  // On a phone there is room for who it is or which browser, and for ending it.
  const wide = { visibleFrom: 'sm' } as const;
  const isWide = (column: string) => column === 'since' || column === 'address' || (column === 'browser' && who !== undefined);
  return (
    <Table.ScrollContainer minWidth={280}>
      <Table {...(who ? {} : { horizontalSpacing: 6 })} data-testid={testid}>
        <Table.Thead>
          <Table.Tr>{columns.map((column) => <Table.Th key={column} {...(isWide(column) ? wide : {})}>{t(`signed_in.${column}`)}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.map((session) => (
            <Table.Tr key={session.id}>
              {who && <Table.Td><Group gap="xs">{who(session)}</Group></Table.Td>}
              <Table.Td {...wide}><Ago when={session.since} /></Table.Td>
              <Table.Td><Ago when={session.active_at} /></Table.Td>
              <Table.Td {...wide}>{session.address ?? t('value.none')}</Table.Td>
              <Table.Td {...(isWide('browser') ? wide : {})} title={session.browser ?? undefined}>{browserOf(session.browser ?? '')}</Table.Td>
              <Table.Td><Group gap="xs">{end(session)}</Group></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
