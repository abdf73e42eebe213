import { Center, Loader } from '@mantine/core';
import { api } from '@oriel/api';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { watchHands, whenIdle } from '../idle.ts';
import { me, queries, signedOut } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { Notes } from '@oriel/look/notes';
import { Home } from './Home.tsx';
import { SignIn } from './SignIn.tsx';

export default function PortalPage() {
  const { t } = useTranslation();
  const user = useQuery(me);
  useSignInEnd(user.data?.sign_in_expires_at);
  useSignOutWhenIdle(user.data?.sign_out_minutes ?? null);

  if (user.isPending) {
    return (
      <Center mih="100dvh" role="status" aria-label={t('loading')}>
        <Loader />
      </Center>
    );
  }
  if (user.isError && user.data === undefined) {
    return (
      <Center mih="100dvh" component="main" p="md">
        <Failure error={user.error} retry={() => void user.refetch()} />
      </Center>
    );
  }
  return (
    <>
      {user.data ? <Home me={user.data} /> : <SignIn />}
      <Notes />
    </>
  );
}

/** Looks again when the sign-in should have ended, so that the page does not pretend. */
function useSignInEnd(expiresAt: string | undefined): void {
  useEffect(() => {
    const inMs = expiresAt === undefined ? NaN : Date.parse(expiresAt) - Date.now();
    // Timers hold 31 bits; a sign-in of three weeks is looked at on the next load.
    if (!(inMs > 0 && inMs < 2 ** 31)) return;
    const timer = window.setTimeout(() => void queries.invalidateQueries({ queryKey: me.queryKey }), inMs + 1000);
    return () => window.clearTimeout(timer);
  }, [expiresAt]);
}

/** Signs out who has done nothing in any tab for as long as a policy allows. */
function useSignOutWhenIdle(minutes: number | null): void {
  useEffect(() => {
    if (minutes === null) return;
    const unwatch = watchHands();
    const undo = whenIdle(minutes * 60_000, () => {
      // Whether the farm hears it or not: what was on this page is not to be seen any more.
      api.signOut().catch(() => {});
      signedOut('idling');
    });
    return () => {
      undo();
      unwatch();
    };
  }, [minutes]);
}
