import { Alert, Button, Group, Loader, Paper, Stack, Stepper, Text, Title } from '@mantine/core';
import { IconArrowLeft, IconPlugConnected, IconRefresh, IconWifiOff, IconX } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ResourceIcon } from '../ui/ResourceIcon.tsx';
import { wordsOf } from '../words.ts';
import type { SessionController, Snapshot } from './controller.ts';
import { endWords } from './endings.ts';
import type { Ending, State } from './machine.ts';
import classes from './Overlay.module.css';
import type { Face } from './tab-face.ts';

/** News of less than this would only flicker. */
const CALM_MS = 400;

interface Props {
  controller: SessionController;
  snapshot: Snapshot;
  face: Face;
}

/** What lies over the picture while there is none, or none that is alive. */
export function Overlay({ controller, snapshot, face }: Props) {
  const { state } = snapshot;
  if (state.name === 'connected') return null;
  // A new size needs a moment; the last picture bridges it. Anything slower is told.
  if ('why' in state && state.why === 'resize' && state.attempt === 0 && state.name !== 'asking') return null;

  if (state.name === 'ended') {
    return (
      <Veil solid>
        <Ended controller={controller} ending={state.ending} state={state} face={face} />
      </Veil>
    );
  }
  if (state.name === 'offered') {
    return (
      <Veil solid>
        <Offered controller={controller} face={face} />
      </Veil>
    );
  }
  return (
    <Veil solid={state.why === 'start'}>
      {state.why === 'start' && state.attempt === 0 && state.name !== 'asking' ? (
        <Opening controller={controller} state={state} face={face} />
      ) : (
        <Returning controller={controller} snapshot={snapshot} state={state} />
      )}
    </Veil>
  );
}

function Veil({ solid, children }: { solid: boolean; children: ReactNode }) {
  return (
    <div className={classes.veil} data-solid={solid || undefined}>
      <Paper className={classes.card} p="xl" radius="lg" shadow="xl">
        {children}
      </Paper>
    </div>
  );
}

type Unfinished = Exclude<State, { name: 'offered' | 'connected' | 'ended' }>;

const STEPS: Record<Unfinished['name'], number> = { launching: 0, pausing: 0, connecting: 1, asking: 1, waiting: 2 };

function Offered({ controller, face }: { controller: SessionController; face: Face }) {
  const { t } = useTranslation();
  const name = face.name || t('session.unnamed');
  return (
    <Stack gap="md" data-testid="offered">
      <Group wrap="nowrap" align="flex-start">
        <ResourceIcon url={face.icon} kind="application" size={44} />
        <Stack gap={6}>
          <Title order={2} size="h4">
            {t('offered.title', { name })}
          </Title>
          <Text c="dimmed">{t('offered.text')}</Text>
        </Stack>
      </Group>
      <Group justify="flex-end" mt="sm">
        <Button component="a" href="/" variant="default" leftSection={<IconArrowLeft size={18} aria-hidden />}>
          {t('end.to_portal')}
        </Button>
        {/* Not focused by itself: a key that is being typed elsewhere must not press it. */}
        <Button onClick={() => controller.dispatch({ type: 'open' })} data-testid="open">
          {t('offered.open', { name })}
        </Button>
      </Group>
    </Stack>
  );
}

function Opening({ controller, state, face }: { controller: SessionController; state: Unfinished; face: Face }) {
  const { t } = useTranslation();
  const active = STEPS[state.name];
  const steps = [t('opening.host'), t('opening.connect'), t('opening.picture')];
  return (
    <Stack gap="lg">
      <Group wrap="nowrap">
        <ResourceIcon url={face.icon} kind="application" size={44} />
        <Title order={2} size="h4">
          {face.name ? t('opening.title', { name: face.name }) : t('opening.title_unnamed')}
        </Title>
      </Group>
      <Stepper active={active} orientation="vertical" size="xs" iconSize={26} allowNextStepsSelect={false} component="ol" aria-hidden>
        {steps.map((label, index) => (
          <Stepper.Step
            key={label}
            label={label}
            loading={index === active}
            component="div"
            tabIndex={-1}
            completedIcon={undefined}
          />
        ))}
      </Stepper>
      <p role="status" className={classes.spoken}>
        {steps[active]}
      </p>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => controller.dispatch({ type: 'give_up' })}>
          {t('cancel')}
        </Button>
      </Group>
    </Stack>
  );
}

function Returning({ controller, snapshot, state }: { controller: SessionController; snapshot: Snapshot; state: Unfinished }) {
  const { t } = useTranslation();
  const calm = useCalm(state.name === 'asking');
  const secs = useCountdown(snapshot.nextTryAt);
  if (calm) return <Loader aria-label={t('loading')} />;

  const words = state.name === 'pausing' && state.problem ? wordsOf(state.problem, t) : null;
  const title =
    state.name === 'asking'
      ? t('returning.asking')
      : state.why === 'return'
        ? t('returning.reload')
        : state.why === 'start'
          ? t('returning.start')
          : t('returning.lost');
  return (
    <Stack gap="md" data-testid="reconnecting">
      <Group wrap="nowrap" align="flex-start">
        <Loader size="sm" mt={4} aria-hidden />
        <div role="status">
          <Title order={2} size="h4">
            {title}
          </Title>
          {state.attempt > 1 && <Text c="dimmed">{t('returning.attempt', { attempt: state.attempt })}</Text>}
        </div>
      </Group>
      {!snapshot.online && (
        <Alert variant="light" color="light" icon={<IconWifiOff aria-hidden />}>
          {t('returning.offline')}
        </Alert>
      )}
      {words && (
        <Text size="sm">
          {words.title} {words.detail}
        </Text>
      )}
      {secs > 1 && (
        <Text size="sm" c="dimmed">
          {t('returning.next', { count: secs })}
        </Text>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={() => controller.dispatch({ type: 'give_up' })} data-testid="cancel">
          {t('cancel')}
        </Button>
        {state.name === 'pausing' && (
          <Button onClick={() => controller.dispatch({ type: 'try_now' })}>{t('returning.now')}</Button>
        )}
      </Group>
    </Stack>
  );
}

const SIGNS = { open: IconRefresh, return: IconPlugConnected, retry: IconRefresh };

function Ended(props: { controller: SessionController; ending: Ending; state: State; face: Face }) {
  const { t } = useTranslation();
  const { controller, ending, state, face } = props;
  const words = endWords(ending, face.name || t('session.unnamed'), t);
  const mayOpen = words.again === 'open' ? state.goal.resource !== null : words.again !== null;
  const Sign = SIGNS[words.again ?? 'open'];
  return (
    <Stack gap="md" data-testid="ended" data-reason={ending.kind === 'told' ? (ending.end.reason ?? '') : ending.kind}>
      <Group wrap="nowrap" align="flex-start">
        <ResourceIcon url={face.icon} kind="application" size={44} />
        <Stack gap={6} role={words.tone === 'bad' ? 'alert' : 'status'}>
          <Title order={2} size="h4">
            {words.title}
          </Title>
          {words.detail !== '' && <Text>{words.detail}</Text>}
          <Text c="dimmed">{words.advice}</Text>
        </Stack>
      </Group>
      <Group justify="flex-end" mt="sm">
        {window.history.length <= 1 ? (
          <Button variant="default" leftSection={<IconX size={18} aria-hidden />} onClick={() => window.close()}>
            {t('end.close_tab')}
          </Button>
        ) : null}
        <Button component="a" href="/" variant="default" leftSection={<IconArrowLeft size={18} aria-hidden />}>
          {t('end.to_portal')}
        </Button>
        {words.again !== null && mayOpen && (
          <Button
            leftSection={<Sign size={18} aria-hidden />}
            onClick={() => controller.dispatch({ type: 'open_again' })}
            autoFocus
            data-testid="open-again"
          >
            {t(`end.again.${words.again}`)}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** True for a moment after `asking` began: most answers come at once. */
function useCalm(asking: boolean): boolean {
  const [calm, setCalm] = useState(asking);
  useEffect(() => {
    setCalm(asking);
    if (!asking) return;
    const timer = window.setTimeout(() => setCalm(false), CALM_MS);
    return () => window.clearTimeout(timer);
  }, [asking]);
  return calm && asking;
}

function useCountdown(at: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === null) return;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 500);
    return () => window.clearInterval(timer);
  }, [at]);
  return at === null ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}
