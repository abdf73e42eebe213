import { Box, Button, Group, Paper, Stack, Stepper, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { setPreferences } from '../preferences.ts';
import { Machine } from '../start/Machine.tsx';
import { Open } from '../start/Open.tsx';
import { People } from '../start/People.tsx';
import { Programs } from '../start/Programs.tsx';
import { LOOK_EVERY_MS, STEPS, useMayStart, useProgress, type Step } from '../start/progress.ts';
import { useGo } from '../ui/go.ts';
import { LinkButton } from '../ui/Link.tsx';

const WORK: Record<Step, React.ReactNode> = {
  gateway: <Machine role="gateway" />,
  host: <Machine role="agent" />,
  programs: <Programs />,
  people: <People />,
  open: <Open />,
};

/** From nothing to a published application that somebody uses. Each step knows from the farm whether it is done. */
export default function Start() {
  const { t } = useTranslation();
  const go = useGo();
  const mayStart = useMayStart();
  const progress = useProgress(LOOK_EVERY_MS);
  if (!mayStart) return <NotFound />;
  if (progress === null) return <PageHead title={t('nav.start')} />;
  const next = STEPS.findIndex((step) => !progress[step]);
  const step = STEPS[next];
  const dismiss = () => {
    setPreferences({ isStarted: true });
    go('/');
  };
  return (
    <>
      <PageHead title={t('nav.start')} actions={step && <Button variant="subtle" onClick={dismiss} data-testid="dismiss">{t('start.dismiss')}</Button>} />
      <Paper withBorder p={{ base: 'md', sm: 'xl' }} className="card" maw={960} data-testid="start" data-step={step ?? 'done'}>
        <Stack gap="lg">
          <Text>{t('start.text')}</Text>
          <Stepper active={next < 0 ? STEPS.length : next} allowNextStepsSelect={false} size="sm" iconSize={32} wrap={false} visibleFrom="md">
            {STEPS.map((each) => <Stepper.Step key={each} component="div" label={t(`start.${each}.title`)} />)}
          </Stepper>
          {step && <Text hiddenFrom="md" size="sm" c="dimmed">{t('start.step', { number: next + 1, of: STEPS.length })}</Text>}
          <Box aria-live="polite">
            {step ? <Title order={2} size="h4">{t(`start.${step}.title`)}</Title> : <Title order={2} size="h4" data-testid="start-done">{t('start.all_done')}</Title>}
          </Box>
          {step ? WORK[step] : (
            <Group>
              <LinkButton to="/">{t('nav.dashboard')}</LinkButton>
              <LinkButton to="/publishing/add" variant="default">{t('start.more')}</LinkButton>
            </Group>
          )}
        </Stack>
      </Paper>
    </>
  );
}
