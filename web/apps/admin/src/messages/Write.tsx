import { Button, Group, Loader, Select, Stack, Text, Textarea } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { Refusal, post } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { others, present, type Person } from './people.ts';

const EVERYBODY = 'all';
const TEXT_MAX = 1000;

/** A message to one who is here, or to all. Who is answered stands fast. */
export default function Write({ to, answers, close }: { to?: string | undefined; answers?: Person | undefined; close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const found = useQuery({ ...present, enabled: answers === undefined });
  const people = answers ? [answers] : others(found.data ?? [], me.user?.id);
  const [chosen, setChosen] = useState(answers?.user ?? to ?? EVERYBODY);
  const [text, setText] = useState('');
  const person = people.find(({ user }) => user === chosen);

  const send = useMutation({
    mutationFn: async () => {
      const paths = person ? person.sessions.map((id) => `/administrator-sessions/${id}/message`) : ['/administrator-sessions/message'];
      const sent = await Promise.allSettled(paths.map((path) => post(path, { text })));
      // Of several sign-ins one may just have ended: it was said if one of them heard it.
      const failed = sent.find((each) => each.status === 'rejected');
      if (failed && sent.every((each) => each.status === 'rejected')) throw failed.reason;
    },
    onSuccess: () => {
      notify({ tone: 'good', title: t('message.sent') });
      close();
    },
  });
  const mistake = send.error instanceof Refusal ? send.error.mistakes[0]?.message : undefined;
  const isNobody = answers === undefined && found.isSuccess && people.length === 0;

  return (
    <Dialog onClose={close} title={t('message.write')}>
      {found.isLoading && <Loader aria-label={t('loading')} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {isNobody && <Text size="sm">{t('message.nobody')}</Text>}
      {(people.length > 0 || send.isPending) && (
        <form onSubmit={(event) => { event.preventDefault(); if (text.trim() !== '') send.mutate(); }}>
          <Stack>
            {send.isError && mistake === undefined && <Failure error={send.error} />}
            <Select
              label={t('message.to')} value={person ? chosen : EVERYBODY} allowDeselect={false} disabled={answers !== undefined} onChange={(to) => setChosen(to ?? EVERYBODY)}
              data={[...(answers ? [] : [{ value: EVERYBODY, label: t('message.all') }]), ...people.map(({ user, name }) => ({ value: user, label: name }))]}
            />
            <Textarea label={t('message.text')} required autosize minRows={3} maxRows={10} maxLength={TEXT_MAX} value={text} error={mistake} data-autofocus onChange={(event) => setText(event.currentTarget.value)} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>{t('cancel')}</Button>
              <Button type="submit" disabled={text.trim() === ''} loading={send.isPending} data-testid="send">{t('message.send')}</Button>
            </Group>
          </Stack>
        </form>
      )}
    </Dialog>
  );
}
