import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { signedIn } from '../queries.ts';
import { SignIn } from '../sign-in/SignIn.tsx';
import { Failure } from '../ui/Failure.tsx';
import { Notes } from '@oriel/look/notes';
import { Frame } from './Frame.tsx';

/** Who is not signed in sees the sign-in and nothing else; the address stays, so that they come to where they wanted. */
export function Root() {
  const { t } = useTranslation();
  const me = useQuery(signedIn);
  if (me.isPending) {
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
      {me.data === null ? <SignIn /> : <Frame me={me.data} />}
      <Notes />
    </>
  );
}
