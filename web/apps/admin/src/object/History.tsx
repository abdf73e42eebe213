import { Badge, Button, Group, Modal, Paper, Stack, Text } from '@mantine/core';
import { Refusal, call, type ChangeShown, type Plan, type Query } from '@oriel/api/management';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { differences } from '../form/fields.ts';
import { pageOf, pluralOf } from '../kinds.ts';
import { changed, changes } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link } from '../ui/Link.tsx';
import { notify } from '../ui/notify.ts';
import { ago, moment } from '../ui/time.ts';
import { Changes } from './Changes.tsx';

export const ACTION_COLOURS: Record<string, string> = { created: 'green', deleted: 'red', changed: 'frame', secret_set: 'frame', secret_removed: 'red' };

/** Changes, newest first, each readable and to be taken back. */
export function History({ query, withObject = false }: { query: Query; withObject?: boolean }) {
  const { t } = useTranslation();
  const log = useInfiniteQuery(changes(query));
  if (log.isError && log.data === undefined) return <Failure error={log.error} retry={() => void log.refetch()} />;
  const items = log.data?.pages.flatMap((page) => page.items) ?? [];
  if (log.isSuccess && items.length === 0) return <Text c="dimmed">{t('history.nothing')}</Text>;
  return (
    <Stack gap="sm" component="ol" m={0} p={0} style={{ listStyle: 'none' }} data-testid="history">
      {items.map((change) => (
        <ChangeEntry key={change.sequence} change={change} withObject={withObject} />
      ))}
      {log.hasNextPage && (
        <Group justify="center" component="li">
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>{t('list.more')}</Button>
        </Group>
      )}
    </Stack>
  );
}

function ChangeEntry({ change, withObject }: { change: ChangeShown; withObject: boolean }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [opened, setOpened] = useState(false);
  const [isReverting, setReverting] = useState(false);
  const fields = differences({ ...change.before }, { ...change.after });
  return (
    <Paper component="li" withBorder p="sm" className="card">
      <Group justify="space-between" align="flex-start" gap="xs">
        <div style={{ minWidth: 0 }}>
          <Group gap="xs">
            <Badge variant="light" color={ACTION_COLOURS[change.action] ?? 'gray'} tt="none">{t(`history.action.${change.action}`)}</Badge>
            {withObject && (
              <Text size="sm" fw={600} component="span">
                {t(`kinds.${change.kind}.one`)}{' '}
                {change.action === 'deleted' ? change.name : <Link to={pageOf(change.kind, change.id)} inherit underline="always">{change.name}</Link>}
              </Text>
            )}
          </Group>
          <Text size="sm" c="dimmed" mt={4}>
            <time dateTime={change.at} title={moment(change.at, i18n.language)}>{ago(change.at, i18n.language)}</time>
            {' · '}
            {change.author.name}
            {' · '}
            {t(`history.via.${change.author.via}`)}
            {change.author.address ? ` · ${change.author.address}` : ''}
            {` · ${t('history.number', { number: change.sequence })}`}
          </Text>
        </div>
        <Group gap="xs">
          {fields.length > 0 && (
            <Button variant="subtle" size="xs" aria-expanded={opened} onClick={() => setOpened(!opened)}>
              {t(opened ? 'history.hide' : 'history.show', { count: fields.length })}
            </Button>
          )}
          {may('audit', 'modify') && !change.action.startsWith('secret') && (
            <Button variant="default" size="xs" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => setReverting(true)} data-testid="revert">{t('revert.open')}</Button>
          )}
        </Group>
      </Group>
      {opened && <Changes kind={change.kind} changes={fields} spec={change.after ? (change.after as { spec?: unknown }).spec : undefined} />}
      {isReverting && <Revert path={`/changes/${change.sequence}/revert`} title={t('revert.title', { number: change.sequence })} close={() => setReverting(false)} />}
    </Paper>
  );
}

/** Shows what taking back would do, or why it cannot be; then does it as one change. */
export function Revert({ path, body = {}, title, close }: { path: string; body?: Record<string, unknown>; title: string; close: () => void }) {
  const { t } = useTranslation();
  const plan = useQuery({
    queryKey: ['plan', path, body],
    retry: false,
    staleTime: 0,
    gcTime: 0,
    queryFn: ({ signal }) => call<Plan>('POST', path, { body: { ...body, dry_run: true }, signal }),
  });
  const revert = useMutation({
    mutationFn: () => call<Plan>('POST', path, { body }),
    onSuccess: async (done) => {
      notify({ tone: 'good', title: t('revert.done') });
      await Promise.all([...new Set(done.plan.map(({ kind }) => kind))].map((kind) => changed(pluralOf(kind))));
      close();
    },
  });
  const steps = plan.data?.plan.filter(({ action }) => action !== 'unchanged') ?? [];
  return (
    <Modal opened onClose={close} size="lg" title={title} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {plan.isError && <Failure error={plan.error} />}
        {plan.isError && plan.error instanceof Refusal && plan.error.changes.length > 0 && <Text size="sm">{t('revert.changed_since')}</Text>}
        {plan.isSuccess && steps.length === 0 && <Text size="sm">{t('revert.nothing')}</Text>}
        {plan.data?.notes?.map((note) => <Text key={note} size="sm">{note}</Text>)}
        {steps.map((step) => (
          <Paper key={`${step.kind} ${step.name}`} withBorder p="sm">
            <Text size="sm" fw={600} mb={4}>{t(`plan.${step.action}`, { kind: t(`kinds.${step.kind}.one`), name: step.name })}</Text>
            {step.action === 'change' && <Changes kind={step.kind} changes={step.changes ?? []} />}
          </Paper>
        ))}
        {revert.isError && <Failure error={revert.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button disabled={steps.length === 0} loading={revert.isPending} onClick={() => revert.mutate()} data-testid="revert-now">{t('revert.now')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
