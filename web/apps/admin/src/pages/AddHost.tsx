import { Button, Group, Paper, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { Refusal, post, type IssuedInvitation } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectSelect } from '../form/Picker.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { Invited, type Joining } from '../hosts/Invited.tsx';
import { all, changed } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';

const HOURS = [1, 24, 72, 168];

/** A machine joins with one pasted command; the page waits for it. */
export default function AddHost() {
  const { t } = useTranslation();
  const may = useMay();
  const [role, setRole] = useState<Joining>('agent');
  const [wanted, setPool] = useState<string | null>(null);
  const [hours, setHours] = useState('24');
  const [name, setName] = useState('');
  const pools = useQuery(all('pools'));
  const pool = wanted ?? pools.data?.[0]?.id ?? null;
  const invite = useMutation({
    mutationFn: () => post<IssuedInvitation>('/invitations', { role, hours: Number(hours), ...(role === 'agent' ? { pool } : {}), ...(name.trim() === '' ? {} : { component_name: name.trim() }) }),
    onSuccess: () => changed('invitations'),
  });
  const mistakes = invite.error instanceof Refusal ? invite.error.mistakes : [];
  if (!may('infrastructure', 'add')) return <NotFound />;

  return (
    <>
      <PageHead title={t('action.add_host')} crumbs={[{ label: t('kinds.host.many'), to: '/hosts' }]} />
      <Stack maw={820}>
        <Paper withBorder p="md" className="card">
          <form onSubmit={(event) => { event.preventDefault(); invite.mutate(); }}>
            <Stack>
              <Text size="sm">{t('invite.text')}</Text>
              <SegmentedControl
                aria-label={t('invite.role')} value={role} onChange={(to) => { setRole(to as Joining); invite.reset(); }}
                data={[{ value: 'agent', label: t('invite.agent') }, { value: 'gateway', label: t('invite.gateway') }]}
              />
              {role === 'agent' && <ObjectSelect kind="pool" label={t('kinds.pool.one')} description={t('invite.pool_help')} value={pool} onChange={setPool} required />}
              <TextInput label={t('invite.name')} description={t('invite.name_help')} value={name} maxLength={256} onChange={(event) => setName(event.currentTarget.value)} error={mistakes[0]?.message} />
              <Select label={t('invite.hours')} allowDeselect={false} value={hours} onChange={(to) => setHours(to ?? '24')} data={HOURS.map((each) => ({ value: String(each), label: t('invite.hours_count', { count: each }) }))} />
              {invite.isError && mistakes.length === 0 && <Failure error={invite.error} />}
              <Group><Button type="submit" loading={invite.isPending} disabled={role === 'agent' && pool === null} data-testid="invite">{t('invite.make')}</Button></Group>
            </Stack>
          </form>
        </Paper>
        {invite.data && <Invited key={invite.data.id} invitation={invite.data} role={role} />}
      </Stack>
    </>
  );
}
