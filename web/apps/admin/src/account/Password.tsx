import { Button, PasswordInput, Stack } from '@mantine/core';
import { Refusal, call } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Me } from '../sign-in/me.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';
import { SIGN_INS } from './SignIns.tsx';
import { queries } from '../queries.ts';

const PASSWORD_MAX = 1024;

/** Another password, for the one that there is. The other sign-ins end, this one goes on. */
export function Password({ me }: { me: Me }) {
  const { t } = useTranslation();
  const [given, setGiven] = useState({ password: '', new_password: '' });
  const change = useMutation({
    mutationFn: () => call('PUT', '/me/password', { body: given }),
    onSuccess: async () => {
      setGiven({ password: '', new_password: '' });
      notify({ tone: 'good', title: t('password.changed'), text: t('password.changed_text') });
      await queries.invalidateQueries({ queryKey: SIGN_INS });
    },
  });
  const mistakes = change.error instanceof Refusal ? change.error.mistakes : [];
  const field = (name: keyof typeof given, label: string, complete: string, description?: string) => (
    <PasswordInput
      label={label} description={description} value={given[name]} autoComplete={complete} maxLength={PASSWORD_MAX} required
      error={mistakes.find((each) => each.field === name)?.message}
      visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }}
      onChange={(event) => setGiven({ ...given, [name]: event.currentTarget.value })}
    />
  );
  return (
    <form onSubmit={(event) => { event.preventDefault(); change.mutate(); }}>
      <Stack align="stretch">
        {change.isError && mistakes.length === 0 && <Failure error={change.error} />}
        {/* For password managers: whose it is. */}
        <input type="text" name="username" autoComplete="username" value={me.user?.name ?? ''} readOnly hidden />
        {field('password', t('password.current'), 'current-password')}
        {field('new_password', t('password.new'), 'new-password', t('password.rules'))}
        <div>
          <Button type="submit" disabled={given.password === '' || given.new_password === ''} loading={change.isPending} data-testid="change-password">{t('password.change')}</Button>
        </div>
      </Stack>
    </form>
  );
}
