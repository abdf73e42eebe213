import { Alert, Badge, Button, Code, CopyButton, DataList, Group, Modal, Paper, Stack, Text } from '@mantine/core';
import { post, type NotificationView, type Trial, type WebhookSecret } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck, IconCopy, IconKey, IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Confirm } from '@oriel/look/confirm';
import { choiceOf } from '../form/words.ts';
import type { Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Failure } from '../ui/Failure.tsx';
import { notifyFailure } from '../ui/notify.ts';
import { translated } from '../i18n/index.ts';

/** What became of a notification's messages; a test of all its ways, and the secret of its webhook. */
export default function State({ object }: { object: Shown }) {
  const { t } = useTranslation();
  const may = useMay();
  const { state, spec } = object as unknown as NotificationView;
  const test = useMutation({ mutationFn: () => post<Trial>(`/notifications/${object.id}/test`) });
  const facts: [string, React.ReactNode][] = [
    [t('notification.last_sent'), state.last_sent ? <Ago when={state.last_sent} /> : t('notification.never_sent')],
    [t('notification.lasting'), state.lasting],
    [t('notification.waiting'), state.waiting],
  ];
  return (
    <Stack>
      {state.failure && (
        <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('notification.failed', { way: choiceOf('Way', state.failure.way, t) })}>
          {translated(state.failure.why)} <Ago when={state.failure.at} />
        </Alert>
      )}
      <Paper withBorder p="md" className="card">
        <DataList withDivider labelWidth="min(320px, 50%)" className="values">
          {facts.map(([label, value]) => (
            <DataList.Item key={label}><DataList.ItemLabel>{label}</DataList.ItemLabel><DataList.ItemValue>{value}</DataList.ItemValue></DataList.Item>
          ))}
        </DataList>
      </Paper>
      <Group>
        {may('infrastructure', 'control') && <Button variant="default" leftSection={<IconSend size={18} aria-hidden />} loading={test.isPending} onClick={() => test.mutate()} data-testid="test">{t('notification.test')}</Button>}
        {spec.webhook && may('infrastructure', 'modify') && <Secret id={object.id} />}
      </Group>
      {test.isError && <Failure error={test.error} />}
      {test.data && (
        <Paper withBorder p="md" className="card" role="status" data-testid="tried">
          {test.data.items.length === 0 && <Text size="sm">{t('notification.no_way')}</Text>}
          <DataList withDivider labelWidth={140} className="values">
            {test.data.items.map(({ way, problem }) => (
              <DataList.Item key={way}>
                <DataList.ItemLabel>{choiceOf('Way', way, t)}</DataList.ItemLabel>
                <DataList.ItemValue>
                  <Group gap="xs"><Badge variant="light" tt="none" color={problem ? 'red' : 'green'}>{t(problem ? 'notification.not_sent' : 'notification.sent')}</Badge>{problem}</Group>
                </DataList.ItemValue>
              </DataList.Item>
            ))}
          </DataList>
        </Paper>
      )}
    </Stack>
  );
}

/** Making a new secret ends the old one: asked first, shown once. */
function Secret({ id }: { id: string }) {
  const { t } = useTranslation();
  const [isAsked, setAsked] = useState(false);
  const make = useMutation({
    mutationFn: () => post<WebhookSecret>(`/notifications/${id}/webhook-secret`),
    onError: (error) => notifyFailure(error, t),
    onSettled: () => setAsked(false),
  });
  return (
    <>
      <Button variant="default" leftSection={<IconKey size={18} aria-hidden />} onClick={() => setAsked(true)} data-testid="make-secret">{t('notification.secret')}</Button>
      <Confirm opened={isAsked} close={() => setAsked(false)} title={t('notification.secret')} text={t('notification.secret_ask')} action={t('notification.secret_make')} busy={make.isPending} onConfirm={() => make.mutate()} />
      <Modal opened={make.data !== undefined} onClose={make.reset} title={t('notification.secret')} closeButtonProps={{ 'aria-label': t('close') }}>
        <Stack>
          <Alert color="orange" variant="light">{t('token.once')}</Alert>
          <Code style={{ overflowWrap: 'anywhere' }} data-testid="secret">{make.data?.secret}</Code>
          <CopyButton value={make.data?.secret ?? ''}>
            {({ copied, copy }) => <Button leftSection={copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />} onClick={copy}>{t(copied ? 'copied' : 'copy')}</Button>}
          </CopyButton>
        </Stack>
      </Modal>
    </>
  );
}
