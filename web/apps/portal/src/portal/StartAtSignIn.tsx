import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { Resource, ResourceList } from '@oriel/api';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { takeFreshSignIn } from '../queries.ts';
import { ResourceIcon } from '../ui/ResourceIcon.tsx';
import { openingOf } from './opening.ts';
import classes from './Sessions.module.css';

/** Opens what opens at sign-in. What the browser holds back, as browsers do with pages that open pages, waits on a card. */
export function StartAtSignIn({ list }: { list: ResourceList }) {
  const { t } = useTranslation();
  const [waiting, setWaiting] = useState<Resource[]>([]);

  useEffect(() => {
    if (!takeFreshSignIn()) return;
    const wanted = list.resources.filter(
      (each) => each.start_at_sign_in && each.status === 'enabled' && openingOf(each).in !== 'device',
    );
    setWaiting(wanted.filter((each) => !opens(each)));
  }, [list]);

  if (waiting.length === 0) return null;
  const done = (resource: Resource) => setWaiting((all) => all.filter((each) => each.id !== resource.id));
  return (
    <Stack component="section" gap="xs" mb="lg" aria-labelledby="start-at-sign-in" data-testid="start-at-sign-in">
      <Title order={2} size="h5" id="start-at-sign-in">
        {t('start.title')}
      </Title>
      <Text size="sm" c="dimmed">
        {t('start.text')}
      </Text>
      <ul className={classes.list}>
        {waiting.map((each) => {
          const opening = openingOf(each);
          return (
            <Paper key={each.id} component="li" withBorder radius="lg" p="md">
              <Group wrap="nowrap" justify="space-between">
                <Group wrap="nowrap">
                  <ResourceIcon url={each.icon_url} kind={each.kind} size={36} />
                  <Text fw={600}>{each.name}</Text>
                </Group>
                <Button
                  component="a"
                  href={opening.in === 'device' ? undefined : opening.href}
                  target="_blank"
                  rel={opening.in === 'browser' ? 'noopener noreferrer' : 'noopener'}
                  onClick={() => done(each)}
                  leftSection={<IconPlayerPlay size={18} aria-hidden />}
                  aria-label={t('start.open_name', { name: each.name })}
                >
                  {t('start.open')}
                </Button>
              </Group>
            </Paper>
          );
        })}
      </ul>
    </Stack>
  );
}

/** Whether the browser let it. */
function opens(resource: Resource): boolean {
  const opening = openingOf(resource);
  // Another site is opened by the user's own hand, so that it learns nothing of this page.
  if (opening.in !== 'session') return false;
  const tab = window.open(opening.href, '_blank');
  if (tab) tab.opener = null;
  return tab !== null;
}
