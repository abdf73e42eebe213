import { Alert, Button, CopyButton, Group, Stack, Text, Textarea } from '@mantine/core';
import type { Launch } from '@oriel/api';
import { mayRead } from '@oriel/session';
import { IconLock } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { copyWays } from '../policy.ts';
import { setPreferences } from '../preferences.ts';
import { Locked } from '../ui/Locked.tsx';
import { clipboardWords } from '../ui/lock-words.ts';
import { usePreferences } from '../use-preferences.ts';
import type { SessionController } from './controller.ts';

interface Props {
  controller: SessionController;
  received: { text: string; written: boolean } | null;
  launch: Launch;
}

/** The clipboard by hand, for browsers that keep theirs to themselves, and the switch for it. */
export function ClipboardPanel({ controller, received, launch }: Props) {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const [text, setText] = useState('');
  const [sent, setSent] = useState(false);
  const [permission, setPermission] = useState<PermissionState>('denied');

  useEffect(() => {
    void mayRead().then(setPermission);
  }, []);

  const { policy } = launch;
  const ways = copyWays(policy, launch.channels);
  const rule = policy?.settings.clipboard;
  if (!ways.into && !ways.out) {
    return (
      <Alert variant="light" color="gray" icon={<IconLock aria-hidden />} title={t('clipboard.locked.title')} data-testid="clipboard-locked">
        <Stack gap={4}>
          <Text size="sm">{rule && rule.direction !== 'none' ? clipboardWords(rule, t) : t('clipboard.locked.text')}</Text>
          {policy && rule && <Locked policy={policy.name} />}
        </Stack>
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
      {policy && rule && (
        <Alert variant="light" color="gray" p="xs" data-testid="clipboard-rule">
          <Locked policy={policy.name} text={clipboardWords(rule, t)} />
        </Alert>
      )}
      <Textarea
        label={t('clipboard.into')}
        description={ways.into ? t('clipboard.into_hint') : t('clipboard.into_locked')}
        disabled={!ways.into}
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
          disabled={text === '' || !ways.into}
          onClick={() => {
            controller.clipboard.forget();
            setSent(controller.clipboard.fromUser(text));
          }}
          data-testid="clipboard-send"
        >
          {t('clipboard.send')}
        </Button>
      </Group>
      {!ways.out && (
        <Textarea
          label={t('clipboard.out')}
          description={t('clipboard.out_locked')}
          disabled
          autosize
          minRows={1}
          value=""
          readOnly
          data-testid="clipboard-out-locked"
        />
      )}
      {ways.out && received && (
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
      {ways.into && permission === 'prompt' && (
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
