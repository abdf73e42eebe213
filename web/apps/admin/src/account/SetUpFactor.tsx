import { Button, Code, CopyButton, Group, List, Stack, Text } from '@mantine/core';
import { call, post, type Key, type Recovery } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CODE_DIGITS, CodeInput } from '../sign-in/CodeInput.tsx';
import { Failure } from '../ui/Failure.tsx';
import { QrCode } from './QrCode.tsx';
import { showRecoveryCodes } from './recovery-store.ts';

/** A key for an authenticator, as a picture and as text; it counts once a code of it was entered. */
export default function SetUpFactor() {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const begin = useMutation({ mutationFn: () => post<Key>('/me/totp') });
  const finish = useMutation({
    mutationFn: (given: string) => call<Recovery>('PUT', '/me/totp', { body: { code: given } }),
    onSuccess: ({ recovery_codes }) => showRecoveryCodes(recovery_codes),
    onError: () => setCode(''),
  });

  if (begin.data === undefined) {
    return (
      <Stack align="flex-start">
        {begin.isError && <Failure error={begin.error} />}
        <Button onClick={() => begin.mutate()} loading={begin.isPending} data-testid="set-up-factor">{t('factor.set_up')}</Button>
      </Stack>
    );
  }
  const { key, address } = begin.data;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (code.length === CODE_DIGITS && !finish.isPending) finish.mutate(code); }}>
      <Stack>
        <List type="ordered" spacing="md" size="sm">
          <List.Item>{t('factor.scan')}</List.Item>
          <List.Item>{t('factor.enter')}</List.Item>
        </List>
        <QrCode text={address} label={t('factor.picture')} />
        <div>
          <Text size="sm" mb={4}>{t('factor.key')}</Text>
          <Group gap="xs">
            <Code fz="sm" data-testid="factor-key" style={{ overflowWrap: 'anywhere' }}>{key.match(/.{1,4}/g)?.join(' ')}</Code>
            <CopyButton value={key}>
              {({ copied, copy }) => (
                <Button size="compact-sm" variant="default" leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />} onClick={copy}>{t(copied ? 'copied' : 'copy')}</Button>
              )}
            </CopyButton>
          </Group>
        </div>
        {finish.isError && <Failure error={finish.error} />}
        <CodeInput value={code} onChange={setCode} onComplete={finish.mutate} />
        <div>
          <Button type="submit" disabled={code.length < CODE_DIGITS} loading={finish.isPending}>{t('factor.confirm')}</Button>
        </div>
      </Stack>
    </form>
  );
}
