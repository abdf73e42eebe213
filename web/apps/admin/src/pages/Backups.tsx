import { Alert, Button, EmptyState, Group, Paper, PasswordInput, Stack, Table, Text } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { Refusal, call, get, post, type BackupFile, type BackupList } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconDatabaseExport, IconDatabaseOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { queries, status } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { LinkButton } from '../ui/Link.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { bytes, moment } from '../ui/time.ts';
import { translated } from '../i18n/index.ts';

/** Copies of all settings, sealed with a passphrase. */
export default function Backups() {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const farm = useQuery(status);
  const [isSetting, setSetting] = useState(false);
  const found = useQuery({ queryKey: ['backups'], queryFn: ({ signal }) => get<BackupList>('/backups', {}, signal) });
  const make = useMutation({
    mutationFn: () => post<BackupFile>('/backups'),
    onSuccess: async (made) => {
      notify({ tone: 'good', title: t('backup.made', { name: made.name }) });
      await Promise.all([queries.invalidateQueries({ queryKey: ['backups'] }), queries.invalidateQueries({ queryKey: status.queryKey })]);
    },
    onError: (error) => {
      if (error instanceof Refusal && error.code === 'no_backup_passphrase') setSetting(true);
      else notifyFailure(error, t);
    },
  });
  const state = farm.data?.backup;
  if (!may('infrastructure')) return <NotFound />;
  return (
    <>
      <PageHead
        title={t('nav.backups')}
        actions={may('infrastructure', 'modify') && (
          <>
            <LinkButton to="/farms" variant="default">{t('backup.settings')}</LinkButton>
            <Button variant="default" onClick={() => setSetting(true)}>{t('backup.passphrase')}</Button>
            <Button leftSection={<IconDatabaseExport size={18} aria-hidden />} loading={make.isPending} onClick={() => make.mutate()}>{t('backup.now')}</Button>
          </>
        )}
      />
      <Stack>
        {state?.failure && <Alert color="red" variant="light" title={t('trouble.backup.title')}>{translated(state.failure.why)}</Alert>}
        <Text size="sm">{state?.enabled ? t('backup.next', { when: state.next ? moment(state.next, i18n.language) : '–' }) : t('backup.off')}</Text>
        {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
        {found.data?.items.length === 0 && <EmptyState icon={<IconDatabaseOff />} title={t('backup.nothing')} description={t('backup.about')} />}
        {found.data && found.data.items.length > 0 && (
          <Paper withBorder className="card">
            <Table.ScrollContainer minWidth={360}>
              <Table>
                <Table.Thead>
                  <Table.Tr><Table.Th>{t('field.name')}</Table.Th><Table.Th>{t('backup.at')}</Table.Th><Table.Th>{t('backup.size')}</Table.Th></Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {found.data.items.map(({ name, made_at, bytes: size }) => (
                    <Table.Tr key={name}><Table.Td>{name}</Table.Td><Table.Td>{moment(made_at, i18n.language)}</Table.Td><Table.Td>{bytes(size, i18n.language)}</Table.Td></Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          </Paper>
        )}
      </Stack>
      {isSetting && <Passphrase close={() => setSetting(false)} />}
    </>
  );
}

function Passphrase({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [passphrase, setPassphrase] = useState('');
  const set = useMutation({
    mutationFn: () => call('PUT', '/farm/backup-passphrase', { body: { passphrase } }),
    onSuccess: () => { notify({ tone: 'good', title: t('backup.passphrase_set') }); close(); },
  });
  const mistake = set.error instanceof Refusal ? set.error.mistakes[0]?.message : undefined;
  return (
    <Dialog onClose={close} title={t('backup.passphrase')}>
      <form onSubmit={(event) => { event.preventDefault(); if (passphrase !== '') set.mutate(); }}>
        <Stack>
          <Text size="sm">{t('backup.passphrase_text')}</Text>
          {set.isError && mistake === undefined && <Failure error={set.error} />}
          <PasswordInput label={t('backup.passphrase_label')} value={passphrase} error={mistake} maxLength={1024} autoComplete="new-password" data-autofocus visibilityToggleButtonProps={{ 'aria-label': t('sign_in.show_password'), tabIndex: 0 }} onChange={(event) => setPassphrase(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" disabled={passphrase === ''} loading={set.isPending}>{t('backup.set')}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
