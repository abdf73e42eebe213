/** What can be done from anywhere, beside opening a page. */
import { useMantineColorScheme } from '@mantine/core';
import { LANGUAGES } from '@oriel/look/languages';
import { Refusal, addressOf, post, type BackupFile } from '@oriel/api/management';
import { IconArrowBackUp, IconDatabaseExport, IconDownload, IconKey, IconLanguage, IconLogout, IconMessage, IconMoon, IconShieldCheck, IconSun, type Icon } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { setPreferences } from '../preferences.ts';
import { queries, signOut, status } from '../queries.ts';
import { useMay, useMe } from '../sign-in/use-may.ts';
import { notify, notifyFailure } from '../ui/notify.ts';

export interface Command {
  key: string;
  label: string;
  icon: Icon;
  run: () => void;
}

export function useCommands(go: (to: string) => void, write: () => void): Command[] {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const may = useMay();
  const me = useMe();
  const backUp = () =>
    post<BackupFile>('/backups').then(
      ({ name }) => {
        notify({ tone: 'good', title: t('backup.made', { name }) });
        for (const queryKey of [['backups'], status.queryKey]) void queries.invalidateQueries({ queryKey });
      },
      (error: unknown) => {
        if (error instanceof Refusal && error.code === 'no_backup_passphrase') go('/backups');
        notifyFailure(error, t);
      },
    );
  const save = () => {
    const link = document.createElement('a');
    Object.assign(link, { href: addressOf('/audit/export', {}), download: 'oriel-log.jsonl' });
    link.click();
  };
  const all: (Command | false)[] = [
    may('audit', 'modify') && { key: 'take-back', label: t('revert.since'), icon: IconArrowBackUp, run: () => go('/audit?do=revert') },
    may('audit') && { key: 'check', label: t('action.check_log'), icon: IconShieldCheck, run: () => go('/audit?do=check') },
    may('audit') && { key: 'export', label: t('action.export_log'), icon: IconDownload, run: save },
    may('infrastructure', 'modify') && { key: 'back-up', label: t('backup.now'), icon: IconDatabaseExport, run: () => void backUp() },
    may('administrators') && { key: 'message', label: t('message.write'), icon: IconMessage, run: write },
    me.session != null && { key: 'password', label: t('action.password'), icon: IconKey, run: () => go('/account#password') },
    me.session != null && { key: 'factor', label: t('action.factor'), icon: IconShieldCheck, run: () => go('/account#factor') },
    ...(['light', 'dark', 'auto'] as const).map((scheme) => ({ key: scheme, label: `${t('settings.colours')}: ${t(`settings.scheme.${scheme}`)}`, icon: scheme === 'light' ? IconSun : IconMoon, run: () => setColorScheme(scheme) })),
    ...Object.entries(LANGUAGES).map(([code, label]) => ({ key: code, label: `${t('settings.language')}: ${label}`, icon: IconLanguage, run: () => setPreferences({ language: code as keyof typeof LANGUAGES }) })),
    me.session != null && { key: 'sign-out', label: t('user.sign_out'), icon: IconLogout, run: () => void signOut().catch((error: unknown) => notifyFailure(error, t)) },
  ];
  return all.filter((each) => each !== false);
}
