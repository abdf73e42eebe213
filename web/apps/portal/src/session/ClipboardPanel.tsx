import { Alert, Button, CopyButton, Group, Stack, Text, Textarea } from '@mantine/core';
import { mayRead } from '@oriel/session';
import { IconLock } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { setPreferences } from '../preferences.ts';
import { usePreferences } from '../use-preferences.ts';
import type { SessionController } from './controller.ts';

interface Props {
  controller: SessionController;
  received: { text: string; written: boolean } | null;
  allowed: boolean;
}

/** The clipboard by hand, for browsers that keep theirs to themselves, and the switch for it. */
export function ClipboardPanel({ controller, received, allowed }: Props) {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const [text, setText] = useState('');
  const [sent, setSent] = useState(false);
  const [permission, setPermission] = useState<PermissionState>('denied');

  useEffect(() => {
    void mayRead().then(setPermission);
  }, []);

  if (!allowed) {
    return (
      <Alert variant="light" color="gray" icon={<IconLock aria-hidden />} title={t('clipboard.locked.title')} data-testid="clipboard-locked">
        {t('clipboard.locked.text')}
      </Alert>
    );
  }
  if (!preferences.clipboard) {
    return (
      <Stack gap="sm">
        <Text size="sm">{t('clipboard.off')}</Text>
        <Button variant="default" onClick={() => setPreferences({ clipboard: true })}>
          {t('clipboard.turn_on')}
        </Button>
      </Stack>
    );
  }
  return (
    <Stack gap="sm">
      <Textarea
        label={t('clipboard.into')}
        description={t('clipboard.into_hint')}
        autosize
        minRows={2}
        maxRows={6}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setSent(false);
        }}
        data-testid="clipboard-in"
      />
      <Group justify="space-between">
        <Text size="sm" role="status">
          {sent ? t('clipboard.sent') : ''}
        </Text>
        <Button
          size="xs"
          disabled={text === ''}
          onClick={() => {
            controller.clipboard.forget();
            setSent(controller.clipboard.fromUser(text));
          }}
          data-testid="clipboard-send"
        >
          {t('clipboard.send')}
        </Button>
      </Group>
      {received && (
        <>
          <Textarea label={t('clipboard.out')} readOnly autosize minRows={1} maxRows={6} value={received.text} data-testid="clipboard-out" />
          {!received.written && (
            <CopyButton value={received.text}>
              {({ copied, copy }) => (
                <Button size="xs" variant="default" onClick={copy}>
                  {copied ? t('clipboard.copied') : t('clipboard.copy')}
                </Button>
              )}
            </CopyButton>
          )}
        </>
      )}
      {permission === 'prompt' && (
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            void controller.clipboard
              .readNow()
              .then(() => mayRead())
              .then(setPermission);
          }}
        >
          {t('clipboard.allow')}
        </Button>
      )}
    </Stack>
  );
}
