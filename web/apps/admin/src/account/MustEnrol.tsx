import { Button, Center, Paper, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut } from '../queries.ts';
import { nameOf, type Me } from '../sign-in/me.ts';
import { notifyFailure } from '../ui/notify.ts';
import SetUpFactor from './SetUpFactor.tsx';

/** The farm wants a second factor of everybody: who has none sets one up before anything else. */
export default function MustEnrol({ me }: { me: Me }) {
  const { t } = useTranslation();
  const leave = useMutation({ mutationFn: signOut, onError: (error) => notifyFailure(error, t) });
  useEffect(() => {
    document.title = `${t('factor.title')} · Oriel`;
  }, [t]);
  return (
    <Center component="main" mih="100dvh" p="md" data-testid="must-enrol">
      <Paper className="card" p={{ base: 'lg', sm: 'xl' }} radius="lg" withBorder maw={480}>
        <Stack>
          <Title order={1} size="h2">{t('factor.title')}</Title>
          <Text>{t('factor.needed', { name: nameOf(me) })}</Text>
          <SetUpFactor />
          <div><Button variant="subtle" loading={leave.isPending} onClick={() => leave.mutate()}>{t('user.sign_out')}</Button></div>
        </Stack>
      </Paper>
    </Center>
  );
}
