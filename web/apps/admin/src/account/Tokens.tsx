import { Button, Group, Stack, Table, Text } from '@mantine/core';
import type { TokenView } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Confirm } from '@oriel/look/confirm';
import { choiceOf } from '../form/words.ts';
import { all, changed, remove } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import type { Me } from '../sign-in/me.ts';
import { Ago } from '../ui/Ago.tsx';
import { Failure } from '../ui/Failure.tsx';
import { Link, LinkButton } from '../ui/Link.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { moment } from '../ui/time.ts';

/** The API tokens that one has made, for scripts of one's own. */
export function Tokens({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [asked, setAsked] = useState<TokenView | null>(null);
  const found = useQuery(all<TokenView>('tokens', { filter: `owner.id:${me.user?.id ?? 'null'}` }));
  const withdraw = useMutation({
    mutationFn: ({ id, revision }: TokenView) => remove('tokens', id, revision),
    onSuccess: (_, { name }) => notify({ tone: 'good', title: t('token.withdrawn', { name }) }),
    onError: (error) => notifyFailure(error, t),
    onSettled: async () => { setAsked(null); await changed('tokens'); },
  });
  return (
    <Stack>
      <Text size="sm">{t('token.about')}</Text>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.length === 0 && <Text size="sm" c="dimmed">{t('token.nothing')}</Text>}
      {found.data && found.data.length > 0 && (
        <Table.ScrollContainer minWidth={480}>
          <Table data-testid="own-tokens">
            <Table.Thead>
              <Table.Tr>
                {(['name', 'role', 'expires', 'used', 'withdraw'] as const).map((column) => <Table.Th key={column}>{t(`token.${column}`)}</Table.Th>)}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.data.map((token) => (
                <Table.Tr key={token.id}>
                  <Table.Td><Link to={`/tokens/${token.id}`} fw={600}>{token.name}</Link></Table.Td>
                  <Table.Td>{choiceOf('AdministratorRole', token.spec.role, t)}</Table.Td>
                  <Table.Td>{token.spec.expires_at ? moment(token.spec.expires_at, i18n.language) : t('token.never_expires')}</Table.Td>
                  <Table.Td>{token.last_used_at ? <Ago when={token.last_used_at} /> : t('token.never_used')}</Table.Td>
                  <Table.Td>
                    {may('administrators', 'delete') && (
                      <Button size="compact-sm" variant="light" color="red" leftSection={<IconTrash size={14} aria-hidden />} aria-label={t('token.withdraw_named', { name: token.name })} onClick={() => setAsked(token)}>{t('token.withdraw')}</Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {may('administrators', 'add') && <Group><LinkButton to="/tokens/new" variant="default" leftSection={<IconPlus size={18} aria-hidden />}>{t('kinds.token.add')}</LinkButton></Group>}
      <Confirm
        opened={asked !== null} close={() => setAsked(null)} title={t('token.withdraw_named', { name: asked?.name ?? '' })} text={t('token.withdraw_text')} action={t('token.withdraw')} busy={withdraw.isPending}
        onConfirm={() => asked && withdraw.mutate(asked)}
      />
    </Stack>
  );
}
