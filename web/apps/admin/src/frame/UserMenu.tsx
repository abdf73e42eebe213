import { Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { LANGUAGES } from '@oriel/look/languages';
import { UserMenu as Frame } from '@oriel/look/user-menu';
import { IconMessage, IconUserCog } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { choiceOf } from '../form/words.ts';
import { setPreferences } from '../preferences.ts';
import { signOut } from '../queries.ts';
import { nameOf, type Me } from '../sign-in/me.ts';
import { notifyFailure } from '../ui/notify.ts';
import { PlainLink } from '../ui/Link.tsx';

export function UserMenu({ me, write }: { me: Me; write: () => void }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const name = nameOf(me);

  return (
    <Frame
      name={name} label={t('user.menu', { name })} beneath={me.roles.map(({ role }) => choiceOf('AdministratorRole', role, t)).join(', ')} size={36} width={260}
      signOut={me.session ? { label: t('user.sign_out'), run: () => void signOut().catch((error: unknown) => notifyFailure(error, t)) } : undefined}
    >
      <Menu.Item component={PlainLink} to="/account" leftSection={<IconUserCog size={18} aria-hidden />} data-testid="open-account">
        {t('account.title')}
      </Menu.Item>
      {Object.values(me.areas).some((verbs) => verbs.includes('view')) && (
        <Menu.Item leftSection={<IconMessage size={18} aria-hidden />} onClick={write} data-testid="write">
          {t('message.write')}
        </Menu.Item>
      )}
      <Menu.Divider />
      <Menu.Label>{t('settings.colours')}</Menu.Label>
      <Menu.RadioGroup value={colorScheme} onChange={(to) => setColorScheme(to as MantineColorScheme)}>
        {(['light', 'dark', 'auto'] as const).map((scheme) => <Menu.RadioItem key={scheme} value={scheme}>{t(`settings.scheme.${scheme}`)}</Menu.RadioItem>)}
      </Menu.RadioGroup>
      <Menu.Divider />
      <Menu.Label>{t('settings.language')}</Menu.Label>
      <Menu.RadioGroup value={i18n.language} onChange={(to) => setPreferences({ language: to as keyof typeof LANGUAGES })}>
        {Object.entries(LANGUAGES).map(([code, label]) => <Menu.RadioItem key={code} value={code} lang={code}>{label}</Menu.RadioItem>)}
      </Menu.RadioGroup>
    </Frame>
  );
}
