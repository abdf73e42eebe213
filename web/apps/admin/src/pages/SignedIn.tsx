import { Badge, Button, Paper, Text } from '@mantine/core';
import { call, type AdministratorSession } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconMessage } from '@tabler/icons-react';
import { Suspense, lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SignInTable } from '../account/SignInTable.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { present } from '../messages/people.ts';
import { queries } from '../queries.ts';
import { useMay, useMe } from '../sign-in/use-may.ts';
import { Confirm } from '@oriel/look/confirm';
import { Failure } from '../ui/Failure.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';

const Write = lazy(() => import('../messages/Write.tsx'));

/** Administrators who are signed in; any of them can be written to, or signed out. */
export default function SignedIn() {
  const { t } = useTranslation();
  const may = useMay();
  const me = useMe();
  const [asked, setAsked] = useState<AdministratorSession | null>(null);
  const [written, setWritten] = useState<{ to?: string } | null>(null);
  const found = useQuery({ ...present, enabled: may('administrators') });
  const isAlone = (found.data ?? []).every(({ user }) => user === me.user?.id);
  const end = useMutation({
    mutationFn: ({ id }: AdministratorSession) => call('DELETE', `/administrator-sessions/${id}`),
    onSuccess: (_, { user_name }) => notify({ tone: 'good', title: t('signed_in.ended', { name: user_name }) }),
    onError: (error) => notifyFailure(error, t),
    onSettled: () => { setAsked(null); void queries.invalidateQueries({ queryKey: present.queryKey }); },
  });
  if (!may('administrators')) return <NotFound />;
  return (
    <>
      <PageHead
        title={t('nav.signed_in')}
        actions={!isAlone && <Button leftSection={<IconMessage size={18} aria-hidden />} onClick={() => setWritten({})} data-testid="write-all">{t('message.write_all')}</Button>}
      />
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data?.length === 0 && <Text c="dimmed">{t('signed_in.nobody')}</Text>}
      {found.data && found.data.length > 0 && (
        <Paper withBorder className="card">
          <SignInTable
            sessions={found.data}
            who={(session) => <>{session.user_name}{session.own && <Badge variant="light" tt="none">{t('signed_in.own')}</Badge>}</>}
            end={(session) => (
              <>
                {session.user !== me.user?.id && <Button size="compact-sm" variant="light" aria-label={t('message.write_to', { name: session.user_name })} onClick={() => setWritten({ to: session.user })}>{t('message.write_short')}</Button>}
                {may('administrators', 'delete') && <Button size="compact-sm" variant="light" color="red" aria-label={t('signed_in.end_named', { name: session.user_name })} onClick={() => setAsked(session)}>{t('signed_in.end')}</Button>}
              </>
            )}
          />
        </Paper>
      )}
      <Confirm
        opened={asked !== null} close={() => setAsked(null)} title={t('signed_in.end_named', { name: asked?.user_name ?? '' })} text={t('signed_in.ask')} action={t('signed_in.end')} busy={end.isPending}
        onConfirm={() => asked && end.mutate(asked)}
      />
      {written !== null && <Suspense><Write to={written.to} close={() => setWritten(null)} /></Suspense>}
    </>
  );
}
