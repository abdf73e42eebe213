import { Alert, Badge, Button, EmptyState, Group, Paper, PasswordInput, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { Refusal, call, get, post, type MailTaken, type MailboxState } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconCircleCheck, IconMail, IconPencil, IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { formOf, initial, isSpec, type RecordField } from '../form/fields.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { Editing } from '../object/Editing.tsx';
import { OtherEditors } from '../object/OtherEditors.tsx';
import { FieldList } from '../object/Reading.tsx';
import { all, queries } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { usePlace } from '../ui/go.ts';

const COLOURS = { set: 'green', missing: 'red', of_another: 'red', not_needed: 'gray' } as const;
const PASSWORD_MAX = 500;

/** The server that the farm's mail goes through: how it is reached, its password, and a test. */
export default function Mailbox() {
  const { t } = useTranslation();
  const may = useMay();
  const [place, setPlace] = usePlace();
  const farms = useQuery({ ...all('farms'), enabled: may('infrastructure') });
  if (!may('infrastructure')) return <NotFound />;
  if (farms.isError && farms.data === undefined) return <Failure error={farms.error} retry={() => void farms.refetch()} />;
  const farm = farms.data?.[0];
  if (farm === undefined) return <PageHead title={t('nav.mailbox')} />;

  const canChange = may('infrastructure', 'modify');
  const isEditing = place.edit === true && canChange;
  const isSet = isSpec(farm.spec.mailbox);
  const edit = <Button leftSection={<IconPencil size={18} aria-hidden />} onClick={() => setPlace({ edit: true })} data-testid="edit">{t(isSet ? 'object.edit' : 'mailbox.set_up')}</Button>;
  const form = formOf('farm').fields.mailbox as RecordField;

  return (
    <>
      <PageHead title={t('nav.mailbox')} actions={!isEditing && isSet && canChange && edit} />
      {isEditing ? (
        <Editing kind="farm" object={farm} only={['mailbox']} begun={isSet ? {} : { mailbox: initial({ ...form, nullable: false }) }} close={() => setPlace({ edit: undefined })} />
      ) : (
        <>
          <OtherEditors kind="farm" id={farm.id} isEditing={false} />
          {isSet ? (
            <Stack>
              <Paper withBorder p="md" className="card">
                <FieldList kind="farm" object={farm} fields={form.fields} schema={form.name ?? ''} path={['mailbox']} />
              </Paper>
              <SimpleGrid cols={{ base: 1, md: 2 }}>
                <Password revision={farm.revision} canChange={canChange} />
                {canChange && <Test />}
              </SimpleGrid>
            </Stack>
          ) : (
            <EmptyState icon={<IconMail />} title={t('mailbox.nothing')} description={t('mailbox.about')}>
              {canChange && <EmptyState.Actions>{edit}</EmptyState.Actions>}
            </EmptyState>
          )}
        </>
      )}
    </>
  );
}

/** Whether the password is set; it is sent, and never comes back. */
function Password({ revision, canChange }: { revision: number; canChange: boolean }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState('');
  // With another server or account the password may count no more.
  const found = useQuery({ queryKey: ['mailbox', revision], queryFn: ({ signal }) => get<MailboxState>('/farm/mailbox', {}, signal) });
  const set = useMutation({
    mutationFn: () => call('PUT', '/farm/mailbox-password', { body: { password } }),
    onSuccess: async () => {
      notify({ tone: 'good', title: t('mailbox.password_done') });
      setPassword('');
      await queries.invalidateQueries({ queryKey: ['mailbox'] });
    },
  });
  const state = found.data?.password;
  const mistake = set.error instanceof Refusal ? set.error.mistakes[0]?.message : undefined;
  return (
    <Paper withBorder p="md" className="card">
      <Group mb="sm" justify="space-between">
        <Title order={2} size="h4">{t('mailbox.password')}</Title>
        {state && <Badge variant="light" tt="none" color={COLOURS[state]} data-testid="password-state">{t(`mailbox.password_is.${state}`)}</Badge>}
      </Group>
      <Stack>
        {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
        {state && <Text size="sm">{t(`mailbox.password_about.${state}`)}</Text>}
        {canChange && state !== undefined && state !== 'not_needed' && (
          <form onSubmit={(event) => { event.preventDefault(); if (password !== '') set.mutate(); }}>
            <Stack align="stretch">
              {set.isError && mistake === undefined && <Failure error={set.error} />}
              <PasswordInput
                label={t('password.new')} autoComplete="off" maxLength={PASSWORD_MAX} value={password} error={mistake} visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
              <div><Button type="submit" variant="default" disabled={password === ''} loading={set.isPending} data-testid="set-password">{t('password.set')}</Button></div>
            </Stack>
          </form>
        )}
      </Stack>
    </Paper>
  );
}

/** A mail to somebody, and what the server said to it. */
function Test() {
  const { t } = useTranslation();
  const [to, setTo] = useState('');
  const send = useMutation({ mutationFn: (address: string) => post<MailTaken>('/farm/mailbox/test', { to: address }) });
  const mistake = send.error instanceof Refusal ? send.error.mistakes[0]?.message : undefined;
  return (
    <Paper withBorder p="md" className="card">
      <Title order={2} size="h4" mb="sm">{t('mailbox.test')}</Title>
      <form noValidate onSubmit={(event) => { event.preventDefault(); if (to.trim() !== '') send.mutate(to.trim()); }}>
        <Stack align="stretch">
          <TextInput label={t('mailbox.to')} type="email" autoComplete="email" maxLength={254} value={to} error={mistake} onChange={(event) => setTo(event.currentTarget.value)} />
          <div><Button type="submit" variant="default" leftSection={<IconSend size={18} aria-hidden />} disabled={to.trim() === ''} loading={send.isPending} data-testid="send-test">{t('mailbox.send')}</Button></div>
          {send.isError && mistake === undefined && <Failure error={send.error} />}
          {send.data && (
            <Alert color="green" variant="light" icon={<IconCircleCheck aria-hidden />} title={t('mailbox.taken')} role="status" data-testid="taken">
              {t('mailbox.answer', { answer: send.data.answer })}
            </Alert>
          )}
        </Stack>
      </form>
    </Paper>
  );
}
