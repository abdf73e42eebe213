import { ActionIcon, AppShell, Burger, Container, Group, Kbd, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys, useMediaQuery } from '@mantine/hooks';
import { Outlet } from '@tanstack/react-router';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy } from 'react';
import { useTranslation } from 'react-i18next';
import { useEvents } from '../live/events.ts';
import { Inbox } from '../messages/Inbox.tsx';
import { status } from '../queries.ts';
import type { Me } from '../sign-in/me.ts';
import { Idle } from '../sign-in/Idle.tsx';
import { PlainLink } from '../ui/Link.tsx';
import { Navigation } from './Navigation.tsx';
import { StaleNotice } from './StaleNotice.tsx';
import { UserMenu } from './UserMenu.tsx';
import { keepForSearch, openSearch } from './search-store.ts';

const Search = lazy(() => import('./Search.tsx'));
const Write = lazy(() => import('../messages/Write.tsx'));

export function Frame({ me }: { me: Me }) {
  const { t } = useTranslation();
  const [opened, menu] = useDisclosure(false);
  const [isWriting, setWriting] = useDisclosure(false);
  const isWide = useMediaQuery('(min-width: 48em)') ?? true;
  const farm = useQuery(status);
  useEvents(me);
  // Once its code is there, the search has these keys itself.
  useHotkeys([['mod+K', () => void keepForSearch()]], []);

  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding={{ base: 'sm', sm: 'lg' }}>
      <a href="#content" className="skip">
        {t('skip_to_content')}
      </a>
      <AppShell.Header className="frame">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="sm">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger opened={opened} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label={t(opened ? 'nav.close' : 'nav.open')} aria-expanded={opened} />
            <UnstyledButton component={PlainLink} to="/" aria-label={t('nav.home')}>
              <Group gap="xs" wrap="nowrap">
                <img src="/oriel.svg" alt="" width={30} height={30} />
                <Text component="span" fw={650} truncate visibleFrom="xs">
                  {farm.data?.farm_name ?? 'Oriel'}
                </Text>
              </Group>
            </UnstyledButton>
          </Group>
          <Group gap="xs" wrap="nowrap">
            {isWide ? (
              <UnstyledButton onClick={openSearch} px="sm" py={6} bdrs="md" bd="1px solid var(--mantine-color-dimmed)" data-testid="open-search">
                <Group gap="sm" wrap="nowrap">
                  <IconSearch size={16} aria-hidden />
                  <Text size="sm">{t('search.open')}</Text>
                  <Kbd size="xs">Ctrl K</Kbd>
                </Group>
              </UnstyledButton>
            ) : (
              <Tooltip label={t('search.open')}>
                <ActionIcon onClick={openSearch} aria-label={t('search.open')} data-testid="open-search">
                  <IconSearch size={20} />
                </ActionIcon>
              </Tooltip>
            )}
            <UserMenu me={me} write={setWriting.open} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className="frame" p="xs" component="nav" aria-label={t('nav.label')}>
        <Navigation onGo={menu.close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: 'none' }}>
        <Container fluid p={0} maw={1400} mx="auto">
          <StaleNotice />
          <Suspense>
            <Outlet />
          </Suspense>
        </Container>
      </AppShell.Main>
      <Suspense>
        <Search />
      </Suspense>
      <Inbox />
      {isWriting && <Suspense><Write close={setWriting.close} /></Suspense>}
      <Idle />
    </AppShell>
  );
}
