import { Button, Group, Modal, Paper, Stack, Text, TextInput } from '@mantine/core';
import { get } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChangesPage } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { momentOf } from '../ui/time.ts';
import { Revert } from './Revert.tsx';

/** Everything since a moment: first the moment, then what taking it back would do. */
export default function RevertSince({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [moment, setMoment] = useState('');
  const [to, setTo] = useState<number | null>(null);
  const before = useQuery({
    queryKey: ['changes', 'newest before', moment],
    enabled: moment !== '',
    // Without a change before the moment, it is the beginning.
    queryFn: async ({ signal }) => (await get<ChangesPage>('/changes', { until: momentOf(moment), limit: 1 }, signal)).items[0]?.sequence ?? 0,
  });
  if (to !== null) return <Revert path="/revert" body={{ to }} title={t('revert.since')} close={close} />;
  return (
    <Modal opened onClose={close} title={t('revert.since')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Text size="sm">{t('revert.since_text')}</Text>
        <TextInput type="datetime-local" step={1} label={t('revert.moment')} value={moment} onChange={(event) => setMoment(event.currentTarget.value)} data-autofocus />
        {before.isError && <Failure error={before.error} />}
        {before.isSuccess && <Paper withBorder p="sm"><Text size="sm">{t('revert.after', { number: before.data })}</Text></Paper>}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={!before.isSuccess} onClick={() => before.data !== undefined && setTo(before.data)} data-testid="revert-preview">{t('revert.preview')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
