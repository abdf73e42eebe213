import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { call } from '@oriel/api/management';
import { IconDeviceDesktop, IconLanguage, IconLogout, IconMoon, IconSettings, IconSun } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES } from '../i18n/index.ts';
import { setPreferences } from '../preferences.ts';
import { queries, signedIn } from '../queries.ts';
import { roleWord, type Me } from '../sign-in/me.ts';
import { notifyFailure } from '../ui/notify.ts';
import { PlainLink } from '../ui/Link.tsx';

const SCHEMES = [['light', IconSun], ['dark', IconMoon], ['auto', IconDeviceDesktop]] as const;

export function UserMenu({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const name = me.user?.full_name || me.user?.name || me.administrator || t('user.token');

  const signOut = async () => {
    try {
      await call('DELETE', '/sign-in');
      // Nothing of the last administrator may be left for the next one.
      queries.clear();
      queries.setQueryData(signedIn.queryKey, null);
    } catch (error) {
      notifyFailure(error, t);
    }
  };

  return (
    <Menu position="bottom-end" width={260} withinPortal={false}>
      <Menu.Target>
        <UnstyledButton aria-label={t('user.menu', { name })} data-testid="user-menu">
          <Avatar name={name} color="frame" variant="filled" radius="xl" size={36} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text component="span" size="sm" fw={600} display="block">
            {name}
          </Text>
          {t(`roles.${roleWord(me.role)}`)}
        </Menu.Label>
        <Menu.Item component={PlainLink} to="/settings" leftSection={<IconSettings size={18} aria-hidden />} data-testid="open-settings">
          {t('settings.title')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('settings.colours')}</Menu.Label>
        {SCHEMES.map(([scheme, Sign]) => (
          <Menu.Item
            key={scheme} role="menuitemradio" aria-checked={colorScheme === scheme} closeMenuOnClick={false}
            leftSection={<Sign size={18} aria-hidden />} fw={colorScheme === scheme ? 650 : 400} onClick={() => setColorScheme(scheme)}
          >
            {t(`settings.scheme.${scheme}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('settings.language')}</Menu.Label>
        {Object.entries(LANGUAGES).map(([code, label]) => (
          <Menu.Item
            key={code} lang={code} role="menuitemradio" aria-checked={i18n.language === code} closeMenuOnClick={false}
            leftSection={<IconLanguage size={18} aria-hidden />} fw={i18n.language === code ? 650 : 400}
            onClick={() => setPreferences({ language: code as keyof typeof LANGUAGES })}
          >
            {label}
          </Menu.Item>
        ))}
        {me.session !== null && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<IconLogout size={18} aria-hidden />} onClick={() => void signOut()} data-testid="sign-out">
              {t('user.sign_out')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
