import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { useRecoveryCodes } from '../account/recovery-store.ts';
import { firstStart, forget, signedIn } from '../queries.ts';
import { SignIn } from '../sign-in/SignIn.tsx';
import { Failure } from '../ui/Failure.tsx';
import { Notes } from '@oriel/look/notes';
import { Frame } from './Frame.tsx';

const FirstStart = lazy(() => import('../sign-in/FirstStart.tsx'));
const MustEnrol = lazy(() => import('../account/MustEnrol.tsx'));
const RecoveryCodes = lazy(() => import('../account/RecoveryCodes.tsx'));

/**
 * Who is not signed in sees the sign-in and nothing else, or on a new farm how its first account is made; the address
 * stays, so that they come to where they wanted.
 */
export function Root() {
  const { t } = useTranslation();
  const me = useQuery(signedIn);
  const first = useQuery({ ...firstStart, enabled: me.data === null });
  const codes = useRecoveryCodes();
  const isNobody = me.data === null;
  useEffect(() => {
    if (isNobody) forget();
  }, [isNobody]);
  if (me.isPending || (isNobody && first.isPending)) {
    return (
      <Center mih="100dvh" role="status" aria-label={t('loading')}>
        <Loader />
      </Center>
    );
  }
  if (me.data === undefined) {
    return (
      <Center mih="100dvh" component="main" p="md">
        <Failure error={me.error} retry={() => void me.refetch()} />
      </Center>
    );
  }
  return (
    <>
      <Suspense>
        {me.data === null ? first.data?.needed ? <FirstStart /> : <SignIn /> : me.data.second_factor_needed ? <MustEnrol me={me.data} /> : <Frame me={me.data} />}
      </Suspense>
      {codes !== null && <Suspense><RecoveryCodes /></Suspense>}
      <Notes />
    </>
  );
}
