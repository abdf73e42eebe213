import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core';
import { IconLogout } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface Properties {
  /** Of who is signed in. */
  name: string;
  /** What the button is called. */
  label: string;
  /** A line below the name. */
  beneath: string;
  /** Of the picture, in pixels. */
  size: number;
  width: number;
  /** The menu's own entries. */
  children: ReactNode;
  /** None: there is no sign-in that could end. */
  signOut?: { label: string; run: () => void } | undefined;
}

/** Who is signed in, what they can do about it, and the way out. */
export function UserMenu({ name, label, beneath, size, width, children, signOut }: Properties) {
  return (
    <Menu position="bottom-end" width={width} withinPortal={false}>
      <Menu.Target>
        <UnstyledButton aria-label={label} data-testid="user-menu">
          <Avatar name={name} color="frame" variant="filled" radius="xl" size={size} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text component="span" size="sm" fw={600} display="block">
            {name}
          </Text>
          {beneath}
        </Menu.Label>
        {children}
        {signOut && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<IconLogout size={18} aria-hidden />} onClick={signOut.run} data-testid="sign-out">
              {signOut.label}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
