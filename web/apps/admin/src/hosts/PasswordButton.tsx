import { Button, Group, Modal, PasswordInput, Stack } from '@mantine/core';
import { Refusal, call } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconKey } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changed, type Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { notify } from '../ui/notify.ts';

/** Sets the password of a user, or of a directory's service account; it is sent, and never comes back. */
export default function PasswordButton({ plural, user }: { plural: 'users' | 'directories'; user: Shown }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [password, setPassword] = useState('');
  const set = useMutation({
    mutationFn: () => call('PUT', `/${plural}/${user.id}/password`, { body: { password } }),
    onSuccess: async () => {
      notify({ tone: 'good', title: t('password.done', { name: user.name }) });
      setOpened(false);
      setPassword('');
      await changed(plural);
    },
  });
  const mistake = set.error instanceof Refusal ? set.error.mistakes[0]?.message : undefined;
  return (
    <>
      <Button variant="default" leftSection={<IconKey size={18} aria-hidden />} onClick={() => setOpened(true)}>{t('password.open')}</Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={t('password.title', { name: user.name })} closeButtonProps={{ 'aria-label': t('close') }}>
        <form onSubmit={(event) => { event.preventDefault(); if (password !== '') set.mutate(); }}>
          <Stack>
            {set.isError && mistake === undefined && <Failure error={set.error} />}
            <PasswordInput label={t('password.new')} value={password} autoComplete="new-password" maxLength={1024} error={mistake} data-autofocus visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setOpened(false)}>{t('cancel')}</Button>
              <Button type="submit" disabled={password === ''} loading={set.isPending}>{t('password.set')}</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
