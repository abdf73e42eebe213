import { Badge, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { Refusal, call, post, type Recovery } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconShieldCheck, IconShieldOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries, signedIn } from '../queries.ts';
import type { Me } from '../sign-in/me.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import SetUpFactor from './SetUpFactor.tsx';
import { showRecoveryCodes } from './recovery-store.ts';

const CODE_MAX = 64;

/** Whether a code is asked for beside the password, and what can be done about it. */
export function SecondFactor({ me }: { me: Me }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<'renew' | 'remove' | null>(null);
  return (
    <Stack align="flex-start">
      <Group gap="xs">
        {me.totp ? <IconShieldCheck size={20} aria-hidden /> : <IconShieldOff size={20} aria-hidden />}
        <Badge variant="light" tt="none" color={me.totp ? 'green' : 'gray'} data-testid="factor-state">{t(me.totp ? 'factor.on' : 'factor.off')}</Badge>
      </Group>
      <Text size="sm">{t('factor.about')}</Text>
      {me.totp ? (
        <>
          <Text size="sm" c={me.recovery_codes === 0 ? 'red' : 'dimmed'}>{t('factor.left', { count: me.recovery_codes })}</Text>
          <Group gap="xs">
            <Button variant="default" onClick={() => setAsked('renew')} data-testid="renew-codes">{t('factor.renew')}</Button>
            <Button variant="light" color="red" onClick={() => setAsked('remove')} data-testid="remove-factor">{t('factor.remove')}</Button>
          </Group>
        </>
      ) : (
        <SetUpFactor />
      )}
      {asked !== null && <AskCode what={asked} close={() => setAsked(null)} />}
    </Stack>
  );
}

/** Each of it takes a code: an unlocked screen is not enough. */
function AskCode({ what, close }: { what: 'renew' | 'remove'; close: () => void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const act = useMutation({
    mutationFn: () =>
      what === 'renew'
        ? post<Recovery>('/me/totp/recovery-codes', { code })
        : call<undefined>('DELETE', '/me/totp', { body: { code } }),
    onSuccess: (made) => {
      close();
      if (made) showRecoveryCodes(made.recovery_codes);
      else notify({ tone: 'good', title: t('factor.removed') });
      void queries.invalidateQueries({ queryKey: signedIn.queryKey });
    },
  });
  const isWrong = act.error instanceof Refusal && act.error.code === 'code_refused';
  return (
    <Dialog onClose={close} title={t(`factor.${what}`)}>
      <form onSubmit={(event) => { event.preventDefault(); if (code.trim() !== '') act.mutate(); }}>
        <Stack>
          <Text size="sm">{t(`factor.ask_${what}`)}</Text>
          {act.isError && !isWrong && <Failure error={act.error} />}
          <TextInput
            label={t('sign_in.code')} description={t('factor.code_help')} autoComplete="one-time-code" spellCheck={false} maxLength={CODE_MAX} value={code} data-autofocus
            error={isWrong ? `${t('problem.code_refused.title')}. ${t('problem.code_refused.advice')}` : undefined} onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" color={what === 'remove' ? 'red.8' : 'frame'} disabled={code.trim() === ''} loading={act.isPending} data-testid="confirm">{t(`factor.${what}`)}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
