import { Button, Group, List, Paper, Stack, Text } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { Refusal, call, type Plan } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { pluralOf } from '../kinds.ts';
import { Changes } from '../object/Changes.tsx';
import { changed } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { translated } from '../i18n/index.ts';

export interface Back {
  path: string;
  body?: Record<string, unknown>;
  title: string;
}

/** Shows what taking back would do, or why it cannot be; then does just that, as one change. */
export function Revert({ path, body = {}, title, close }: Back & { close: () => void }) {
  const { t } = useTranslation();
  const plan = useQuery({
    queryKey: ['plan', path, body],
    retry: false,
    staleTime: 0,
    gcTime: 0,
    queryFn: ({ signal }) => call<Plan>('POST', path, { body: { ...body, dry_run: true }, signal }),
  });
  const revert = useMutation({
    mutationFn: (sequence: number) => call<Plan>('POST', path, { body: { ...body, sequence } }),
    onSuccess: async (done) => {
      notify({ tone: 'good', title: t('revert.done') });
      await Promise.all([...new Set(done.plan.map(({ kind }) => kind))].map((kind) => changed(pluralOf(kind))));
      close();
    },
    // Others may have changed meanwhile what it would do.
    onError: () => plan.refetch(),
  });
  const steps = plan.data?.plan.filter(({ action }) => action !== 'unchanged') ?? [];
  return (
    <Dialog onClose={close} size="lg" title={title}>
      <Stack data-testid="revert-plan">
        {plan.isError && <Refused error={plan.error} />}
        {plan.isSuccess && steps.length === 0 && <Text size="sm">{t('revert.nothing')}</Text>}
        {steps.length > 0 && <Text size="sm">{t('revert.steps', { count: steps.length })}</Text>}
        {plan.data?.notes?.map((note) => <Text key={note} size="sm">{translated(note)}</Text>)}
        {steps.map((step) => (
          <Paper key={`${step.kind} ${step.name}`} withBorder p="sm">
            <Text size="sm" fw={600} mb={4}>{t(`plan.${step.action}`, { kind: t(`kinds.${step.kind}.one`), name: step.name })}</Text>
            {step.action === 'change' && <Changes kind={step.kind} changes={step.changes ?? []} />}
          </Paper>
        ))}
        {revert.isError && <Refused error={revert.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button disabled={plan.isFetching || steps.length === 0} loading={revert.isPending} onClick={() => plan.data && revert.mutate(plan.data.sequence)} data-testid="revert-now">{t('revert.now')}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** Why it cannot be taken back, reason by reason. */
function Refused({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const refusal = error instanceof Refusal ? error : null;
  // Failures tell these of what is not valid by themselves, and a single reason is the failure's own sentence.
  const reasons = refusal === null || refusal.code === 'invalid' || refusal.mistakes.length === 1 ? [] : refusal.mistakes.map(({ message }) => message);
  return (
    <>
      <Failure error={error} />
      {reasons.length > 0 && <List size="sm">{reasons.map((reason) => <List.Item key={reason}>{reason}</List.Item>)}</List>}
      {refusal !== null && refusal.changes.length > 0 && <Text size="sm">{t('revert.changed_since')}</Text>}
    </>
  );
}
