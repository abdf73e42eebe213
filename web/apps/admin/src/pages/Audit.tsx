import { Button, Group, Modal, Paper, Select, Stack, Text, TextInput } from '@mantine/core';
import { get, type Query } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { KINDS } from '../kinds.ts';
import { History, Revert } from '../object/History.tsx';
import type { ChangesPage } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { text, usePlace } from '../ui/go.ts';

const momentOf = (local: string): string | undefined => (local === '' ? undefined : new Date(local).toISOString());

/** Who changed what, when and how; and taking it back. */
export default function Audit() {
  const { t } = useTranslation();
  const may = useMay();
  const [place, setPlace] = usePlace();
  const [isReverting, setReverting] = useState(false);
  const query: Query = { kind: text(place.kind), by: text(place.by), since: momentOf(text(place.since)), until: momentOf(text(place.until)) };
  if (!may('audit')) return <NotFound />;
  return (
    <>
      <PageHead
        title={t('nav.audit')}
        actions={may('audit', 'modify') && <Button variant="default" leftSection={<IconArrowBackUp size={18} aria-hidden />} onClick={() => setReverting(true)} data-testid="revert-since">{t('revert.since')}</Button>}
      />
      <Stack>
        <Group align="flex-end" gap="sm">
          <Select label={t('audit.kind')} clearable value={text(place.kind) || null} onChange={(to) => setPlace({ kind: to ?? undefined })} data={KINDS.map(({ kind }) => ({ value: kind, label: t(`kinds.${kind}.many`) }))} />
          <TextInput label={t('audit.by')} value={text(place.by)} maxLength={200} onChange={(event) => setPlace({ by: event.currentTarget.value })} />
          <TextInput label={t('audit.since')} type="datetime-local" value={text(place.since)} onChange={(event) => setPlace({ since: event.currentTarget.value })} />
          <TextInput label={t('audit.until')} type="datetime-local" value={text(place.until)} onChange={(event) => setPlace({ until: event.currentTarget.value })} />
        </Group>
        <History query={query} withObject />
      </Stack>
      {isReverting && <RevertSince close={() => setReverting(false)} />}
    </>
  );
}

/** Everything since a moment: first the moment, then what taking it back would do. */
function RevertSince({ close }: { close: () => void }) {
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
        <TextInput type="datetime-local" label={t('revert.moment')} value={moment} onChange={(event) => setMoment(event.currentTarget.value)} data-autofocus />
        {before.isError && <Failure error={before.error} />}
        {before.isSuccess && <Paper withBorder p="sm"><Text size="sm">{t('revert.after', { number: before.data })}</Text></Paper>}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={!before.isSuccess} onClick={() => before.data !== undefined && setTo(before.data)}>{t('revert.preview')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
