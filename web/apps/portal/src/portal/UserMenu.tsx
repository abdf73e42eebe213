import { Menu } from '@mantine/core';
import { api, type Me } from '@oriel/api';
import { UserMenu as Frame } from '@oriel/look/user-menu';
import { IconSettings } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { signedOut } from '../queries.ts';
import { notifyFailure } from '../ui/notify.ts';
import { go } from './place.ts';

export function UserMenu({ me, openSettings }: { me: Me; openSettings: () => void }) {
  const { t } = useTranslation();
  const name = me.user.full_name || me.user.name;

  const signOut = async () => {
    try {
      await api.signOut();
      go('/', 'replace');
      signedOut();
    } catch (error) {
      notifyFailure(error, t);
    }
  };

  return (
    <Frame name={name} label={t('user_menu', { name })} beneath={me.user.name} size={40} width={240} signOut={{ label: t('sign_out'), run: () => void signOut() }}>
      <Menu.Item leftSection={<IconSettings size={18} aria-hidden />} onClick={openSettings} data-testid="open-settings">
        {t('settings.title')}
      </Menu.Item>
    </Frame>
  );
}
