import { Button, Group, Stack, Text } from '@mantine/core';
import { post, type IssuedInvitation } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Invited, type Joining } from '../hosts/Invited.tsx';
import { all, changed } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';

const HOURS = 24;

/** A gateway or a host joins by a pasted command. */
export function Machine({ role }: { role: Joining }) {
  const { t } = useTranslation();
  const pools = useQuery({ ...all('pools'), enabled: role === 'agent' });
  const pool = pools.data?.[0]?.id;
  const invite = useMutation({
    mutationFn: () => post<IssuedInvitation>('/invitations', { role, hours: HOURS, ...(role === 'agent' ? { pool } : {}) }),
    onSuccess: () => changed('invitations'),
  });
  return (
    <Stack gap="sm">
      <Text size="sm">{t('invite.text')}</Text>
      {invite.isError && <Failure error={invite.error} />}
      {invite.data
        ? <Invited key={invite.data.id} invitation={invite.data} role={role} />
        : <Group><Button loading={invite.isPending} disabled={role === 'agent' && pool === undefined} onClick={() => invite.mutate()} data-testid={`invite-${role}`}>{t('invite.make')}</Button></Group>}
    </Stack>
  );
}
