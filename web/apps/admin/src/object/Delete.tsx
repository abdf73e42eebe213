import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { Refusal, call, type Plan } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconLink } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { pluralOf } from '../kinds.ts';
import { queries, remove, type Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { ReferrerList } from './UsedBy.tsx';
import { references } from './references.ts';

/** Of those that use it, so many are named. */
const NAMED = 10;

/** Says first what still refers to it, and whether the broker would refuse for another reason. */
export function Delete({ kind, object, close, onDone }: { kind: string; object: Shown; close: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const rehearsal = useQuery({
    queryKey: ['plan', 'delete', kind, object.id, object.revision],
    retry: false,
    staleTime: 0,
    gcTime: 0,
    queryFn: ({ signal }) =>
      call<Plan>('POST', '/apply', { body: { documents: [{ kind, name: object.name, delete: true }], dry_run: true }, signal }),
  });
  // Who may delete but not rehearse is told by the deletion itself.
  const refusal = rehearsal.error instanceof Refusal && rehearsal.error.status === 403 ? null : rehearsal.error;
  const users = useQuery(references(kind, object.id, NAMED));
  const isUsed = users.data !== undefined && ((users.data.total ?? 0) > 0 || users.data.hidden);
  const removal = useMutation({
    mutationFn: () => remove(pluralOf(kind), object.id, object.revision),
    onSuccess: () => {
      notify({ tone: 'good', title: t('delete.done', { name: object.name }) });
      onDone();
      for (const key of [['list', pluralOf(kind)], ['changes'], ['status']]) void queries.invalidateQueries({ queryKey: key });
    },
  });
  return (
    <Dialog onClose={close} title={t('delete.title', { kind: t(`kinds.${kind}.one`), name: object.name })}>
      <Stack>
        {refusal === null && !isUsed && <Text size="sm">{t('delete.text')}</Text>}
        {isUsed && users.data && (
          <Alert color="orange" variant="light" icon={<IconLink aria-hidden />} title={t('problem.in_use.title')} data-testid="in-use">
            <ReferrerList found={users.data} />
            <Text size="sm" mt="xs">{t('problem.in_use.advice')}</Text>
          </Alert>
        )}
        {refusal !== null && !isUsed && <Failure error={refusal} />}
        {removal.isError && <Failure error={removal.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button color="red.8" disabled={refusal !== null || isUsed} loading={rehearsal.isPending || users.isPending || removal.isPending} onClick={() => removal.mutate()} data-testid="delete-now">{t('delete.now')}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
