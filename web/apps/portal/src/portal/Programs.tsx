import { Anchor, Breadcrumbs, Button, EmptyState, Group, Stack, Text, Title } from '@mantine/core';
import type { Resource, ResourceList, RunningSession } from '@oriel/api';
import { IconLayoutGrid, IconSearchOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { contentsOf, countIn, favouritesOf, pathTo, recentOf, search } from './catalogue.ts';
import { follow, go, hrefOf, type Place } from './place.ts';
import classes from './Programs.module.css';
import { FolderTile, Tile } from './Tile.tsx';

interface Props {
  list: ResourceList;
  place: Place;
  running: RunningSession[];
  /** Outside of the hours, where they hide the list. */
  isHidden: boolean;
}

export function Programs({ list, place, running, isHidden }: Props) {
  const { t } = useTranslation();
  const openable = list.resources.some((each) => each.kind !== 'folder');

  const tiles = (resources: Resource[]) =>
    resources.map((each) =>
      each.kind === 'folder' ? (
        <FolderTile key={each.id} folder={each} count={countIn(list.resources, each.id)} />
      ) : (
        <Tile
          key={each.id}
          resource={each}
          favourite={list.favourites.includes(each.id)}
          running={running.some((session) => session.resource_id === each.id && session.state !== 'ending')}
        />
      ),
    );

  if (!openable) {
    return (
      <EmptyState
        icon={<IconLayoutGrid aria-hidden />}
        title={isHidden ? t('programs.hidden.title') : t('programs.none.title')}
        description={isHidden ? t('programs.hidden.advice') : t('programs.none.advice')}
        mt="xl"
      />
    );
  }

  if (place.search.trim() !== '') {
    const found = search(list.resources, place.search);
    return (
      <Section title={t('search.results', { count: found.length })} announce>
        {found.length > 0 ? (
          <ul className={classes.grid} data-search-results>
            {tiles(found)}
          </ul>
        ) : (
          <EmptyState
            icon={<IconSearchOff aria-hidden />}
            title={t('search.none.title', { query: place.search.trim() })}
            description={t('search.none.advice')}
          >
            <EmptyState.Actions>
              <Button variant="default" onClick={() => go(hrefOf({ folder: place.folder }), 'replace')}>
                {t('search.clear')}
              </Button>
            </EmptyState.Actions>
          </EmptyState>
        )}
      </Section>
    );
  }

  const path = pathTo(list.resources, place.folder);
  const folder = path.at(-1);
  if (place.folder !== null && folder) {
    return (
      <Stack gap="lg">
        <nav aria-label={t('programs.where')}>
          <Breadcrumbs separatorMargin="xs" className={classes.path}>
            <Anchor href="/" onClick={follow} className={classes.crumb}>
              {t('programs.all')}
            </Anchor>
            {path.slice(0, -1).map((each) => (
              <Anchor key={each.id} href={hrefOf({ folder: each.id })} onClick={follow} className={classes.crumb}>
                {each.name}
              </Anchor>
            ))}
            <Text component="span" aria-current="page" fw={600}>
              {folder.name}
            </Text>
          </Breadcrumbs>
        </nav>
        {folder.description !== '' && <Text c="dimmed">{folder.description}</Text>}
        <Section title={folder.name} hideTitle>
          <ul className={classes.grid}>{tiles(contentsOf(list.resources, folder.id))}</ul>
        </Section>
      </Stack>
    );
  }

  const favourites = favouritesOf(list);
  const recent = recentOf(list);
  return (
    <Stack gap="xl">
      {place.folder !== null && (
        <Group role="status">
          <Text>{t('programs.folder_gone')}</Text>
        </Group>
      )}
      {favourites.length > 0 && (
        <Section title={t('programs.favourites')} testId="favourites">
          <ul className={classes.grid}>{tiles(favourites)}</ul>
        </Section>
      )}
      {recent.length > 0 && (
        <Section title={t('programs.recent')} testId="recent">
          <ul className={classes.grid}>{tiles(recent)}</ul>
        </Section>
      )}
      <Section title={t('programs.all')} testId="all">
        <ul className={classes.grid}>{tiles(contentsOf(list.resources, null))}</ul>
      </Section>
    </Stack>
  );
}

function Section(props: {
  title: string;
  children: ReactNode;
  announce?: boolean;
  hideTitle?: boolean;
  testId?: string;
}) {
  return (
    <section aria-label={props.title} data-testid={props.testId}>
      {!props.hideTitle && (
        <Title order={2} size="h5" mb="sm">
          {props.announce ? <span role="status">{props.title}</span> : props.title}
        </Title>
      )}
      {props.children}
    </section>
  );
}
