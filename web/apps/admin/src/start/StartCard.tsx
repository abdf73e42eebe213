import { Button, Group, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { IconRocket } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { setPreferences } from '../preferences.ts';
import { LinkButton } from '../ui/Link.tsx';
import { STEPS, useIsDismissed, useMayStart, useProgress } from './progress.ts';

/** The way into the first steps, until they are done or not wanted. */
export default function StartCard() {
  return useMayStart() && !useIsDismissed() ? <Unfinished /> : null;
}

function Unfinished() {
  const { t } = useTranslation();
  const progress = useProgress(false);
  if (progress === null || progress.open) return null;
  const done = STEPS.filter((step) => progress[step]).length;
  const next = STEPS.find((step) => !progress[step]) ?? 'open';
  return (
    <Paper withBorder p="md" className="card" component="section" aria-labelledby="start" data-testid="start-card">
      <Stack gap="sm">
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <IconRocket size={24} aria-hidden style={{ flexShrink: 0 }} />
          <div>
            <Title order={2} size="h4" id="start">{t('nav.start')}</Title>
            <Text size="sm">{t('start.next', { number: done, of: STEPS.length, step: t(`start.${next}.title`) })}</Text>
          </div>
        </Group>
        <Progress value={(done / STEPS.length) * 100} aria-label={t('nav.start')} />
        <Group gap="xs">
          <LinkButton to="/start" size="xs" data-testid="go-on">{t('start.go_on')}</LinkButton>
          <Button size="xs" variant="subtle" onClick={() => setPreferences({ isStarted: true })} data-testid="dismiss">{t('start.dismiss')}</Button>
        </Group>
      </Stack>
    </Paper>
  );
}
