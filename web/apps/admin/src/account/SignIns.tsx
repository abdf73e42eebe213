import { Badge, Button } from '@mantine/core';
import { call, get, type AdministratorSession, type AdministratorSessions } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { queries } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { SignInTable } from './SignInTable.tsx';

export const SIGN_INS = ['own-sign-ins'] as const;
const LOOK_EVERY_MS = 10_000;

/** Where else one is signed in; each of those sign-ins can be ended. */
export function SignIns() {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: SIGN_INS, refetchInterval: LOOK_EVERY_MS,
    queryFn: async ({ signal }) => (await get<AdministratorSessions>('/me/sessions', {}, signal)).items,
  });
  const end = useMutation({
    mutationFn: ({ id }: AdministratorSession) => call('DELETE', `/me/sessions/${id}`),
    onSuccess: () => notify({ tone: 'good', title: t('account.ended') }),
    onError: (error) => notifyFailure(error, t),
    onSettled: () => void queries.invalidateQueries({ queryKey: SIGN_INS }),
  });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <SignInTable
      sessions={found.data ?? []} testid="own-sign-ins"
      end={(session) => (session.own ? (
        <Badge variant="light" tt="none">{t('account.here')}</Badge>
      ) : (
        <Button size="compact-sm" variant="light" color="red" loading={end.isPending && end.variables.id === session.id} onClick={() => end.mutate(session)}>{t('signed_in.end')}</Button>
      ))}
    />
  );
}
