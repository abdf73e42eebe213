import { Button, Group, Paper, Stack, Text } from '@mantine/core';
import { call, get } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconUserMinus, IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectSelect } from '../form/Picker.tsx';
import { all, changed, queries, type Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link } from '../ui/Link.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';

const groupsOf = (user: Shown): string[] => (Array.isArray(user.spec.groups) ? (user.spec.groups as string[]) : []);

/** A group's members: they are set of each user, so adding one changes the user. */
export default function Members({ object }: { object: Shown }) {
  const { t } = useTranslation();
  const may = useMay();
  const members = useQuery(all<Shown>(`groups/${object.id}/members`));
  const [chosen, setChosen] = useState<string | null>(null);
  const change = useMutation({
    mutationFn: async ({ id, isMember }: { id: string; isMember: boolean }) => {
      const user = await get<Shown>(`/users/${id}`);
      const groups = [...groupsOf(user).filter((group) => group !== object.id), ...(isMember ? [object.id] : [])];
      await call('PATCH', `/users/${id}`, { body: { spec: { groups } }, revision: user.revision });
      return user.name;
    },
    onSuccess: async (name, { isMember }) => {
      setChosen(null);
      notify({ tone: 'good', title: t(isMember ? 'members.added' : 'members.removed', { name }) });
      await Promise.all([changed('users'), queries.invalidateQueries({ queryKey: ['list', `groups/${object.id}/members`] })]);
    },
    onError: (error) => notifyFailure(error, t),
  });
  if (members.isError) return <Failure error={members.error} retry={() => void members.refetch()} />;
  return (
    <Paper withBorder p="md" className="card">
      <Stack gap="sm">
        {may('directory', 'modify') && (
          <Group align="flex-end">
            <ObjectSelect kind="user" label={t('members.who')} value={chosen} onChange={setChosen} />
            <Button disabled={chosen === null} loading={change.isPending} leftSection={<IconUserPlus size={18} aria-hidden />} onClick={() => chosen !== null && change.mutate({ id: chosen, isMember: true })}>{t('members.add')}</Button>
          </Group>
        )}
        {members.data?.length === 0 && <Text c="dimmed" size="sm">{t('members.nothing')}</Text>}
        {members.data?.map((user) => (
          <Group key={user.id} justify="space-between">
            <Link to={`/users/${user.id}`} size="sm">{user.name}</Link>
            {may('directory', 'modify') && (
              <Button size="compact-sm" variant="subtle" leftSection={<IconUserMinus size={16} aria-hidden />} aria-label={t('members.remove_member', { name: user.name })} onClick={() => change.mutate({ id: user.id, isMember: false })}>{t('members.remove')}</Button>
            )}
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}
