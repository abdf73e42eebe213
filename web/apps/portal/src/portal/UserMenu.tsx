import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core';
import { api, type Me } from '@oriel/api';
import { IconLogout, IconSettings } from '@tabler/icons-react';
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
    <Menu position="bottom-end" width={240} withinPortal={false}>
      <Menu.Target>
        <UnstyledButton aria-label={t('user_menu', { name })} data-testid="user-menu">
          <Avatar name={name} color="frame" variant="filled" radius="xl" size={40} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text component="span" size="sm" fw={600} display="block">
            {name}
          </Text>
          {me.user.name}
        </Menu.Label>
        <Menu.Item leftSection={<IconSettings size={18} aria-hidden />} onClick={openSettings} data-testid="open-settings">
          {t('settings.title')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={18} aria-hidden />} onClick={() => void signOut()} data-testid="sign-out">
          {t('sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
