import { Badge, Button, EmptyState, Group, Paper, Skeleton, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api, type RunningSession } from '@oriel/api';
import { useMutation, type UseQueryResult } from '@tanstack/react-query';
import { IconMoon, IconPlugConnected, IconPower } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { mayEndSessions, type Policy } from '../policy.ts';
import { queries, sessions } from '../queries.ts';
import { Confirm } from '@oriel/look/confirm';
import { Failure } from '../ui/Failure.tsx';
import { Locked } from '../ui/Locked.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { ResourceIcon } from '../ui/ResourceIcon.tsx';
import { ago } from '../ui/time.ts';
import { once } from './place.ts';
import classes from './Sessions.module.css';

/** One's own running sessions: go back to them, or end them. */
export function Sessions({ query, policy }: { query: UseQueryResult<RunningSession[]>; policy: Policy }) {
  const { t } = useTranslation();
  if (query.data === undefined) {
    return query.isError ? (
      <Failure error={query.error} retry={() => void query.refetch()} />
    ) : (
      <Stack role="status" aria-label={t('loading')}>
        <Skeleton height={84} radius="lg" />
        <Skeleton height={84} radius="lg" />
      </Stack>
    );
  }
  if (query.data.length === 0) {
    return (
      <EmptyState
        icon={<IconMoon aria-hidden />}
        title={t('sessions.none.title')}
        description={t('sessions.none.advice')}
        mt="xl"
        data-testid="no-sessions"
      />
    );
  }
  return (
    <Stack gap="sm">
      <ul className={classes.list} data-testid="sessions">
        {query.data.map((session) => (
          <SessionRow key={session.id} session={session} mayEnd={mayEndSessions(policy)} />
        ))}
      </ul>
      {policy && !mayEndSessions(policy) && <Locked policy={policy.name} text={t('locked.no_session_list')} />}
    </Stack>
  );
}

function SessionRow({ session, mayEnd }: { session: RunningSession; mayEnd: boolean }) {
  const { t, i18n } = useTranslation();
  const [asking, ask] = useDisclosure(false);
  const logOff = useMutation({
    mutationFn: () => api.logOff(session.id),
    onSuccess: () => {
      ask.close();
      queries.setQueryData(sessions.queryKey, (all) => all?.map((each) => (each.id === session.id ? { ...each, state: 'ending' as const } : each)));
      notify({ tone: 'good', title: t('sessions.logging_off.title'), text: t('sessions.logging_off.text', { name: session.resource_name }) });
    },
    onError: (error) => {
      ask.close();
      notifyFailure(error, t);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: sessions.queryKey }),
  });

  const facts = [
    t('sessions.started', { ago: ago(session.started_at, i18n.language) }),
    t('sessions.on_host', { host: session.host_name }),
  ];
  return (
    <Paper component="li" withBorder radius="lg" p="md" className={classes.row} data-testid="session" data-resource={session.resource_name} data-session-state={session.state}>
      <ResourceIcon url={session.icon_url} kind={session.desktop ? 'desktop' : 'application'} size={40} />
      <div className={classes.words}>
        <Group gap="xs">
          <Text fw={600}>{session.resource_name}</Text>
          <Badge variant="light" color={session.state === 'active' ? 'frame' : 'gray'} tt="none">
            {t(`sessions.state.${session.state}`)}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          {facts.join(' · ')}
        </Text>
        {session.programs.length > 1 && (
          <Text size="sm" c="dimmed" lineClamp={1}>
            {t('sessions.programs', { programs: session.programs.join(', ') })}
          </Text>
        )}
      </div>
      {session.state !== 'ending' && (
        <Group gap="xs" className={classes.actions}>
          <Button
            component="a"
            href={`/session?session=${encodeURIComponent(session.id)}`}
            target="_blank"
            rel="noopener"
            onClick={once}
            leftSection={<IconPlugConnected size={18} aria-hidden />}
            aria-label={t('sessions.reconnect_to', { name: session.resource_name })}
          >
            {t('sessions.reconnect')}
          </Button>
          {mayEnd && (
            <Button
              variant="default"
              leftSection={<IconPower size={18} aria-hidden />}
              onClick={ask.open}
              aria-label={t('sessions.log_off_from', { name: session.resource_name })}
            >
              {t('sessions.log_off')}
            </Button>
          )}
        </Group>
      )}
      <Confirm
        opened={asking}
        close={ask.close}
        title={t('sessions.confirm.title', { name: session.resource_name })}
        text={t('sessions.confirm.text')}
        action={t('sessions.log_off')}
        busy={logOff.isPending}
        onConfirm={() => logOff.mutate()}
      />
    </Paper>
  );
}
