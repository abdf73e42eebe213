import { Alert, Button, Code, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { get, type Entries, type EntryShown, type Verification } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { status } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link } from '../ui/Link.tsx';
import { moment } from '../ui/time.ts';

const newest = (code: string) => ({
  queryKey: ['entries', 'newest', code],
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<EntryShown | null> => (await get<Entries>('/audit', { code, limit: 1 }, signal)).items[0] ?? null,
});

/** Whether the log is whole: what was dropped and lost, and the chain of its entries when it is asked for. */
export function Chain({ atOnce }: { atOnce: boolean }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const farm = useQuery(status);
  const dropped = useQuery(newest('log.dropped')).data;
  const lost = useQuery(newest('log.lost')).data;
  // It reads all of the log: only who wants to know makes the broker do it.
  const checked = useQuery({ queryKey: ['verification'], enabled: atOnce, staleTime: Infinity, retry: false, gcTime: 0, queryFn: ({ signal }) => get<Verification>('/audit/verification', {}, signal) });
  const when = (at: string | undefined) => (at === undefined ? '' : moment(at, i18n.language));
  return (
    <Paper withBorder p="md" className="card" component="section" aria-labelledby="chain">
      <Stack gap="sm">
        <Group justify="space-between" gap="sm">
          <Title order={2} size="h5" id="chain">{t('audit.chain.title')}</Title>
          <Button variant="default" size="xs" leftSection={<IconShieldCheck size={16} aria-hidden />} loading={checked.isFetching} onClick={() => void checked.refetch()} data-testid="verify">{t('audit.chain.check')}</Button>
        </Group>
        <Text size="sm">
          {dropped ? t('audit.chain.dropped', { number: dropped.details.through ?? '', when: when(dropped.details.to) }) : t('audit.chain.nothing_dropped')}{' '}
          {may('infrastructure') && farm.data && <Link to={`/farms/${farm.data.farm_id}`} inherit underline="always">{t('audit.chain.keep')}</Link>}
        </Text>
        {lost && (
          <Alert color="orange" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('audit.chain.lost', { number: lost.details.count ?? '', from: when(lost.details.from), to: when(lost.details.to) })}>
            <Link to={`/audit/${lost.number}`} inherit underline="always" c="inherit">{t('audit.entry', { number: lost.number })}</Link>
          </Alert>
        )}
        <div role="status" data-testid="verification">
          {checked.isError && <Failure error={checked.error} />}
          {checked.data && !checked.isFetching && <Verdict {...checked.data} />}
        </div>
      </Stack>
    </Paper>
  );
}

function Verdict({ first, through, hash, fault }: Verification) {
  const { t } = useTranslation();
  if (fault) {
    return (
      <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('audit.chain.broken', { number: fault.number })}>
        {fault.what} {t('audit.chain.broken_advice', { through })}
      </Alert>
    );
  }
  return (
    <Alert color="green" variant="light" icon={<IconShieldCheck aria-hidden />} title={t('audit.chain.whole', { first, through })}>
      {t('audit.chain.hash')} <Code style={{ overflowWrap: 'anywhere' }}>{hash}</Code>
    </Alert>
  );
}
