import { Badge, Box, CloseButton, Container, Kbd, Stack, Tabs, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import type { Me } from '@oriel/api';
import { useQuery } from '@tanstack/react-query';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { resources, sessions } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { HoursNotice } from './HoursNotice.tsx';
import classes from './Home.module.css';
import { follow, go, hrefOf, readPlace, useQueryString, type Place } from './place.ts';
import { Programs } from './Programs.tsx';
import { ProgramsSkeleton } from './ProgramsSkeleton.tsx';
import { Sessions } from './Sessions.tsx';
import { Settings } from './Settings.tsx';
import { StartAtSignIn } from './StartAtSignIn.tsx';
import { UserMenu } from './UserMenu.tsx';

export function Home({ me }: { me: Me }) {
  const { t } = useTranslation();
  const place = readPlace(useQueryString());
  const list = useQuery(resources);
  const running = useQuery(sessions);
  const [settingsOpen, setSettingsOpen] = useState(false);
  const count = running.data?.filter((each) => each.state !== 'ending').length ?? 0;

  useEffect(() => {
    document.title = `${me.farm_name || t('programs.title')} · Oriel`;
  }, [me.farm_name, t]);
  usePrepareSession(list.isSuccess);

  return (
    <>
      <a href="#content" className={classes.skip}>
        {t('skip_to_content')}
      </a>
      <Box component="header" className={classes.header}>
        <Container size="lg" className={classes.bar}>
          <a href="/" onClick={follow} className={classes.brand} aria-label={t('home')}>
            <img src="/oriel.svg" alt="" width={36} height={36} />
            <Text component="span" fw={650} truncate>
              {me.farm_name || 'Oriel'}
            </Text>
          </a>
          <Search place={place} />
          <UserMenu me={me} openSettings={() => setSettingsOpen(true)} />
        </Container>
      </Box>
      <Container size="lg" component="main" id="content" tabIndex={-1} className={classes.content} data-testid="portal">
        <VisuallyHidden component="h1">{place.view === 'sessions' ? t('sessions.title') : t('programs.title')}</VisuallyHidden>
        <Stack mb={me.hours ? 'md' : 0}>
          <HoursNotice hours={me.hours} />
        </Stack>
        {list.data && <StartAtSignIn list={list.data} />}
        <Tabs
          value={place.view}
          onChange={(view) => go(hrefOf({ view: view === 'sessions' ? 'sessions' : 'programs' }))}
          keepMounted={false}
        >
          <Tabs.List mb="lg">
            <Tabs.Tab value="programs" data-testid="tab-programs">
              {t('programs.title')}
            </Tabs.Tab>
            <Tabs.Tab
              value="sessions"
              data-testid="tab-sessions"
              rightSection={
                count > 0 ? (
                  <Badge size="sm" circle variant="filled">
                    {count}
                  </Badge>
                ) : null
              }
            >
              {t('sessions.title')}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="programs">
            {list.data ? (
              <Programs list={list.data} place={place} running={running.data ?? []} isHidden={me.hours?.shows_list === false} />
            ) : list.isError ? (
              <Failure error={list.error} retry={() => void list.refetch()} />
            ) : (
              <ProgramsSkeleton />
            )}
          </Tabs.Panel>
          <Tabs.Panel value="sessions">
            <Sessions query={running} policy={me.policy} />
          </Tabs.Panel>
        </Tabs>
      </Container>
      <Settings opened={settingsOpen} close={() => setSettingsOpen(false)} policy={me.policy} />
    </>
  );
}

function Search({ place }: { place: Place }) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([['/', () => field.current?.focus()]]);

  const set = (search: string) => {
    // One step in the history for a whole search, however many letters it has.
    const how = place.search === '' ? 'push' : 'replace';
    go(hrefOf({ search, folder: place.folder }), how);
  };

  return (
    <TextInput
      ref={field}
      role="searchbox"
      aria-label={t('search.label')}
      placeholder={t('search.label')}
      value={place.search}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') set('');
        if (event.key === 'Enter') document.querySelector<HTMLAnchorElement>('[data-search-results] a[target]')?.click();
      }}
      leftSection={<IconSearch size={18} aria-hidden />}
      rightSection={
        place.search === '' ? (
          <Kbd size="xs" className={classes.hint} aria-hidden>
            /
          </Kbd>
        ) : (
          <CloseButton
            size="sm"
            aria-label={t('search.clear')}
            onClick={() => {
              set('');
              field.current?.focus();
            }}
          />
        )
      }
      className={classes.search}
      data-testid="search"
    />
  );
}

/** Once the page has settled, fetches what a session needs, so that the first click opens at once. */
function usePrepareSession(ready: boolean): void {
  useEffect(() => {
    if (!ready) return;
    const prepare = () => {
      import('../session/SessionPage.tsx').catch(() => {
        // Only a head start; the session's own page tries again and tells.
      });
    };
    const timer = window.setTimeout(prepare, 1500);
    return () => window.clearTimeout(timer);
  }, [ready]);
}
