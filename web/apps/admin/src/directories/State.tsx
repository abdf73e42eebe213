import { Alert, Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { post, type DirectoryCheck, type DirectoryStanding, type DirectoryView } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle, IconPlugConnected, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { translated } from '../i18n/index.ts';
import { changed, type Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { Failure } from '../ui/Failure.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';

const COLOURS: Record<DirectoryStanding, string> = { unknown: 'frame', answers: 'green', out_of_reach: 'red' };

/** How a directory stood last; a check of every server, and asking about everybody anew. */
export default function State({ object }: { object: Shown }) {
  const { t } = useTranslation();
  const may = useMay();
  const { state, has_password: hasPassword, spec } = object as unknown as DirectoryView;
  const check = useMutation({
    mutationFn: () => post<DirectoryCheck>(`/directories/${object.id}/check`),
    onSettled: () => changed('directories'),
  });
  const flush = useMutation({
    mutationFn: () => post(`/directories/${object.id}/flush`),
    onSuccess: () => notify({ tone: 'good', title: t('directory.flushed') }),
    onError: (error) => notifyFailure(error, t),
  });
  const facts: Fact[] = [
    [t('directory.standing_last'), <Badge variant="light" tt="none" color={COLOURS[state.standing]}>{t(`directory.standing.${state.standing}`)}</Badge>],
    [t('directory.asked'), state.asked_at ? <Ago when={state.asked_at} /> : t('directory.never')],
    [t('directory.password'), t(spec.bind_name == null ? 'directory.password_not_needed' : hasPassword ? 'directory.password_set' : 'directory.password_missing')],
  ];
  return (
    <Stack>
      {state.why && (
        <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('directory.standing.out_of_reach')}>{translated(state.why)}</Alert>
      )}
      <Paper withBorder p="md" className="card"><Facts facts={facts} /></Paper>
      {may('directory', 'control') && (
        <Group>
          <Button variant="default" leftSection={<IconPlugConnected size={18} aria-hidden />} loading={check.isPending} onClick={() => check.mutate()} data-testid="check">{t('directory.check')}</Button>
          <Button variant="default" leftSection={<IconRefresh size={18} aria-hidden />} loading={flush.isPending} onClick={() => flush.mutate()} data-testid="flush">{t('directory.flush')}</Button>
        </Group>
      )}
      {check.isError && <Failure error={check.error} />}
      {check.data && (
        <Stack role="status" gap="xs" data-testid="checked">
          {check.data.servers.map(({ server, works, name, took_ms: took, why }) => (
            <Paper withBorder p="md" className="card" key={server}>
              <Group gap="xs">
                <Text fw={600}>{server}</Text>
                <Badge variant="light" tt="none" color={works ? 'green' : 'red'}>{t(works ? 'directory.works' : 'directory.fails')}</Badge>
                {took != null && <Text size="sm" c="dimmed">{t('directory.took', { took })}</Text>}
              </Group>
              {(name ?? why) && <Text size="sm" mt="xs">{name ?? translated(why ?? '')}</Text>}
            </Paper>
          ))}
        </Stack>
      )}
    </Stack>
  );
}
