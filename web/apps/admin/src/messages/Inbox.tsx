import { Affix, Button, Group, Notification, Stack, Text } from '@mantine/core';
import type { ColleagueMessage } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconMessage } from '@tabler/icons-react';
import { Suspense, lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Ago } from '../ui/Ago.tsx';
import { notifyFailure } from '../ui/notify.ts';
import { authorOf } from '../ui/words.ts';
import { inbox, putAway } from './inbox.ts';

const Write = lazy(() => import('./Write.tsx'));

/** More than these at once would cover the page. */
const SHOWN = 3;

/** What other administrators have written, until it is put away: the oldest first. */
export function Inbox() {
  const { t } = useTranslation();
  const waiting = useQuery(inbox).data ?? [];
  const [answered, setAnswered] = useState<ColleagueMessage | null>(null);
  const more = waiting.length - SHOWN;

  return (
    <>
      {/* Below the header, whose menus open over it. */}
      <Affix position={{ top: 64, right: 16 }} style={{ pointerEvents: 'none' }} zIndex={99}>
        <Stack gap="xs" role="log" aria-label={t('message.inbox')} aria-live="polite" w="min(400px, calc(100vw - 32px))">
          {waiting.slice(0, SHOWN).map((message) => (
            <Notification
              key={message.id} withBorder icon={<IconMessage size={18} aria-hidden />} title={t('message.from', { name: authorOf(message.from, t) })} style={{ pointerEvents: 'auto' }} data-testid="message"
              closeButtonProps={{ 'aria-label': t('message.read') }} onClose={() => void putAway(message.id).catch((error: unknown) => notifyFailure(error, t))}
            >
              <Text size="sm" c="var(--mantine-color-text)" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{message.text}</Text>
              <Group justify="space-between" mt="xs">
                <Text size="xs" c="dimmed"><Ago when={message.at} /></Text>
                {message.session && <Button size="compact-sm" variant="light" onClick={() => setAnswered(message)} data-testid="answer">{t('message.answer')}</Button>}
              </Group>
            </Notification>
          ))}
          {more > 0 && <Notification withBorder withCloseButton={false} style={{ pointerEvents: 'auto' }}>{t('message.more', { count: more })}</Notification>}
        </Stack>
      </Affix>
      {answered && (
        <Suspense>
          <Write answers={answered} close={() => setAnswered(null)} />
        </Suspense>
      )}
    </>
  );
}
