import { Button, Group, Loader, Select, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { Refusal, post, type ColleagueMessage } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { authorOf } from '../ui/words.ts';
import { calledOf, colleagues, others } from './people.ts';

const EVERYBODY = 'all';
const TEXT_MAX = 1000;

/** A message to one who is here, or to all, or the answer to a message. */
export default function Write({ to, answers, close }: { to?: string | undefined; answers?: ColleagueMessage | undefined; close: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  const found = useQuery({ ...colleagues, enabled: answers === undefined });
  const people = others(found.data ?? [], me.user?.id);
  const [chosen, setChosen] = useState(to ?? EVERYBODY);
  const [text, setText] = useState('');
  const person = people.find(({ user }) => user === chosen);

  const send = useMutation({
    mutationFn: async () => {
      const paths = answers ? [`/me/messages/${answers.id}/answer`]
        : person ? person.sessions.map((id) => `/administrator-sessions/${id}/message`) : ['/administrator-sessions/message'];
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
      {(answers !== undefined || people.length > 0 || send.isPending) && (
        <form onSubmit={(event) => { event.preventDefault(); if (text.trim() !== '') send.mutate(); }}>
          <Stack>
            {send.isError && mistake === undefined && <Failure error={send.error} />}
            {answers ? <TextInput label={t('message.to')} value={authorOf(answers.from, t)} readOnly /> : (
              <Select
                label={t('message.to')} value={person ? chosen : EVERYBODY} allowDeselect={false} onChange={(to) => setChosen(to ?? EVERYBODY)}
                data={[{ value: EVERYBODY, label: t('message.all') }, ...people.map((one) => ({ value: one.user, label: calledOf(one) }))]}
              />
            )}
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
