import { Alert, Button, Group, Text } from '@mantine/core';
import { api, type Hours } from '@oriel/api';
import { useMutation } from '@tanstack/react-query';
import { IconClock, IconClockPause } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { hoursHaveChanged } from '../queries.ts';
import { notifyFailure } from '../ui/notify.ts';
import { at } from '../ui/time.ts';

interface Props {
  hours: Hours | null;
  /** Whether it may be put away, until there is something else to say. */
  mayClose?: boolean;
}

/** What there is to say of the logon hours now: that they are over, or soon will be. */
export function HoursNotice({ hours, mayClose = false }: Props) {
  const { t, i18n } = useTranslation();
  const now = useMoments([hours?.warn_at, hours?.until]);
  const extend = useMutation({
    mutationFn: api.extendHours,
    onSuccess: hoursHaveChanged,
    onError: (error) => notifyFailure(error, t),
  });
  const [closed, setClosed] = useState('');
  const said = `${hours?.is_open} ${hours?.until}`;
  if (!hours || closed === said) return null;
  const close = { withCloseButton: mayClose, onClose: () => setClosed(said), closeButtonLabel: t('close') };
  const when = (time: string) => at(time, i18n.language, now);

  if (!hours.is_open) {
    return (
      <Alert color="light" variant="light" icon={<IconClockPause aria-hidden />} title={t('hours.closed.title')} role="status" data-testid="hours-closed" {...close}>
        <Text size="sm">
          {hours.message || t('hours.closed.text')} {hours.until !== null && t('hours.closed.opens', { when: when(hours.until) })}
        </Text>
      </Alert>
    );
  }
  const isEnding = hours.until !== null && hours.warn_at !== null && Date.parse(hours.warn_at) <= now;
  if (!isEnding || hours.until === null) return null;
  return (
    <Alert color="light" variant="light" icon={<IconClock aria-hidden />} title={t('hours.ending.title', { when: when(hours.until) })} role="status" data-testid="hours-ending" {...close}>
      <Group justify="space-between" gap="sm">
        <Text size="sm">{hours.disconnects ? t('hours.ending.disconnects') : t('hours.ending.stays')}</Text>
        {hours.may_extend_until !== null && (
          <Button size="xs" variant="default" loading={extend.isPending} onClick={() => extend.mutate()} data-testid="extend-hours">
            {t('hours.ending.extend', { when: when(hours.may_extend_until) })}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

/** The time, read again when one of these has come. */
function useMoments(times: (string | null | undefined)[]): number {
  const [now, setNow] = useState(() => Date.now());
  const moments = times.join();
  useEffect(() => {
    const left = moments.split(',').map((time) => Date.parse(time) - Date.now());
    // Timers hold 31 bits; the answer is a newer one by then.
    const timers = left.filter((ms) => ms > 0 && ms < 2 ** 31).map((ms) => window.setTimeout(() => {
      setNow(Date.now());
      hoursHaveChanged();
    }, ms + 500));
    setNow(Date.now());
    return () => timers.forEach((timer) => window.clearTimeout(timer));
  }, [moments]);
  return now;
}
