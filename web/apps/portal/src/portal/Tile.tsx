import { ActionIcon, Text } from '@mantine/core';
import { notifyFailure } from '../ui/notify.ts';
import type { Resource } from '@oriel/api';
import { IconDeviceLaptop, IconExternalLink, IconStar, IconStarFilled, IconTools } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { setFavourite } from '../queries.ts';
import { ResourceIcon } from '../ui/ResourceIcon.tsx';
import { openingOf } from './opening.ts';
import { follow, hrefOf, once } from './place.ts';
import classes from './Programs.module.css';

interface Props {
  resource: Resource;
  favourite: boolean;
  running: boolean;
}

/** A program or desktop; opens in a tab of its own. */
export function Tile({ resource, favourite, running }: Props) {
  const { t } = useTranslation();
  const inMaintenance = resource.status === 'maintenance';
  const opening = openingOf(resource);
  const face = (
    <>
      <span className={classes.icon}>
        <ResourceIcon url={resource.icon_url} kind={resource.kind} />
      </span>
      <Text component="span" fw={550} size="sm" lineClamp={2} className={classes.name}>
        {resource.name}
      </Text>
      {running && !inMaintenance && (
        <Text component="span" size="xs" fw={600} className={classes.running}>
          {t('programs.running')}
        </Text>
      )}
      {inMaintenance ? (
        <Text component="span" size="xs" className={classes.note}>
          <IconTools size={14} aria-hidden /> {resource.maintenance_message || t('programs.in_maintenance')}
        </Text>
      ) : opening.in === 'device' ? (
        <Text component="span" size="xs" className={classes.note}>
          <IconDeviceLaptop size={14} aria-hidden /> {t('programs.on_device')}
        </Text>
      ) : opening.in === 'browser' && resource.description === '' ? (
        <Text component="span" size="xs" c="dimmed">
          <IconExternalLink size={12} aria-hidden /> {t('programs.in_browser')}
        </Text>
      ) : (
        resource.description !== '' && (
          <Text component="span" size="xs" c="dimmed" lineClamp={running ? 1 : 2}>
            {resource.description}
          </Text>
        )
      )}
    </>
  );

  return (
    <li className={classes.cell} data-testid="resource" data-resource={resource.name} data-kind={resource.kind} data-status={resource.status}>
      {running && !inMaintenance && (
        <Text component="span" size="xs" fw={600} className={classes.running}>
          {t('programs.running')}
        </Text>
      )}
      {inMaintenance || opening.in === 'device' ? (
        <div className={classes.tile} data-off>
          {face}
        </div>
      ) : (
        <a
          className={classes.tile}
          href={opening.href}
          target="_blank"
          rel={opening.in === 'browser' ? 'noopener noreferrer' : 'noopener'}
          onClick={once}
          title={resource.description || undefined}
        >
          {face}
        </a>
      )}
      <ActionIcon
        className={classes.star}
        size={32}
        color={favourite ? 'light' : 'gray'}
        data-on={favourite || undefined}
        aria-pressed={favourite}
        aria-label={t('programs.favourite', { name: resource.name })}
        onClick={() => {
          setFavourite(resource.id, !favourite).catch((error: unknown) => notifyFailure(error, t));
        }}
      >
        {favourite ? <IconStarFilled size={18} aria-hidden /> : <IconStar size={18} aria-hidden />}
      </ActionIcon>
    </li>
  );
}

export function FolderTile({ folder, count }: { folder: Resource; count: number }) {
  const { t } = useTranslation();
  return (
    <li className={classes.cell} data-testid="folder" data-resource={folder.name}>
      <a className={classes.tile} href={hrefOf({ folder: folder.id })} onClick={follow} title={folder.description || undefined}>
        <span className={classes.icon}>
          <ResourceIcon url={folder.icon_url} kind="folder" />
        </span>
        <Text component="span" fw={550} size="sm" lineClamp={2} className={classes.name}>
          {folder.name}
        </Text>
        <Text component="span" size="xs" c="dimmed">
          {t('programs.count', { count })}
        </Text>
      </a>
    </li>
  );
}
