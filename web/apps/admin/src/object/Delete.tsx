import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { call, type Plan } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { pluralOf } from '../kinds.ts';
import { queries, remove, type Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';

/** Asks the broker first whether anything still refers to it: then that is what the dialog says. */
export function Delete({ kind, object, close, onDone }: { kind: string; object: Shown; close: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const rehearsal = useQuery({
    queryKey: ['plan', 'delete', kind, object.id, object.revision],
    retry: false,
    staleTime: 0,
    gcTime: 0,
    queryFn: ({ signal }) =>
      call<Plan>('POST', '/apply', { body: { documents: [{ kind, id: object.id, name: object.name, delete: true }], dry_run: true }, signal }),
  });
  const removal = useMutation({
    mutationFn: () => remove(pluralOf(kind), object.id, object.revision),
    onSuccess: () => {
      notify({ tone: 'good', title: t('delete.done', { name: object.name }) });
      onDone();
      for (const key of [['list', pluralOf(kind)], ['changes'], ['status']]) void queries.invalidateQueries({ queryKey: key });
    },
  });
  return (
    <Modal opened onClose={close} title={t('delete.title', { kind: t(`kinds.${kind}.one`), name: object.name })} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {rehearsal.isError ? <Failure error={rehearsal.error} /> : <Text size="sm">{t('delete.text')}</Text>}
        {removal.isError && <Failure error={removal.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button color="red.8" disabled={rehearsal.isError} loading={rehearsal.isPending || removal.isPending} onClick={() => removal.mutate()} data-testid="delete-now">{t('delete.now')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
