import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { momentOf } from '../ui/time.ts';
import { Revert } from './Revert.tsx';

/** Everything since a moment: first the moment, then what taking it back would do. */
export default function RevertSince({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [moment, setMoment] = useState('');
  const [since, setSince] = useState<string | undefined>();
  if (since !== undefined) return <Revert path="/revert" body={{ since }} title={t('revert.since')} close={close} />;
  return (
    <Dialog onClose={close} title={t('revert.since')}>
      <Stack>
        <Text size="sm">{t('revert.since_text')}</Text>
        <TextInput type="datetime-local" step={1} label={t('revert.moment')} value={moment} onChange={(event) => setMoment(event.currentTarget.value)} data-autofocus />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={momentOf(moment) === undefined} onClick={() => setSince(momentOf(moment))} data-testid="revert-preview">{t('revert.preview')}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
