import { Button, Group, Modal, Text } from '@mantine/core';
import { post } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries, signedIn } from '../queries.ts';
import { notifyFailure } from '../ui/notify.ts';
import type { Me } from './me.ts';

/** How long before the end of an idle session its owner is asked. */
const WARN_MS = 60_000;
/** How often the broker is told at most that somebody is there: well within the shortest idle time. */
const TELL_MS = 60_000;
const HANDS = ['pointerdown', 'keydown', 'wheel'] as const;
/** Timers hold 31 bits. */
const FARTHEST_MS = 2 ** 31 - 1;

/** Asks whether an idle session shall stay; after its end, the sign-in is shown. */
export function Idle() {
  const { t } = useTranslation();
  const [warned, setWarned] = useState(false);
  const { data: me, dataUpdatedAt } = useQuery(signedIn);
  const leftSecs = me?.session?.idle_left_secs;
  // By the clock here, which need not be right: the broker says how much time is left, not only when it is over.
  const endsAt = leftSecs === undefined ? undefined : dataUpdatedAt + leftSecs * 1_000;

  useEffect(() => {
    setWarned(false);
    if (endsAt === undefined) return;
    const left = endsAt - Date.now();
    const look = () => void queries.invalidateQueries({ queryKey: signedIn.queryKey });
    const warn = window.setTimeout(() => setWarned(true), Math.min(FARTHEST_MS, Math.max(0, left - WARN_MS)));
    const end = window.setTimeout(look, Math.min(FARTHEST_MS, Math.max(0, left) + 1_000));
    return () => {
      window.clearTimeout(warn);
      window.clearTimeout(end);
    };
  }, [endsAt]);

  const isThere = endsAt !== undefined;
  useEffect(() => {
    if (!isThere) return;
    let told = Date.now();
    // Reading goes on by itself; it is hands that say that somebody is there.
    const active = () => {
      if (Date.now() - told < TELL_MS) return;
      told = Date.now();
      void post<Me>('/me/stay').then((now) => queries.setQueryData(signedIn.queryKey, now), () => {});
    };
    for (const event of HANDS) window.addEventListener(event, active, { passive: true });
    return () => {
      for (const event of HANDS) window.removeEventListener(event, active);
    };
  }, [isThere]);

  const stay = async () => {
    try {
      queries.setQueryData(signedIn.queryKey, await post<Me>('/me/stay'));
    } catch (error) {
      notifyFailure(error, t);
    }
  };

  return (
    <Modal opened={warned} onClose={() => void stay()} title={t('idle.title')} withCloseButton={false}>
      {warned && endsAt !== undefined && <Left endsAt={endsAt} />}
      <Group justify="flex-end" mt="lg">
        <Button onClick={() => void stay()} data-autofocus>
          {t('idle.stay')}
        </Button>
      </Group>
    </Modal>
  );
}

/** Counts down. */
function Left({ endsAt }: { endsAt: number }) {
  const { t } = useTranslation();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  return <Text size="sm">{t('idle.text', { count: Math.max(0, Math.ceil((endsAt - now) / 1_000)) })}</Text>;
}
