import { attachKeyboard, attachPointer } from '@oriel/session';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { watchHands } from '../idle.ts';
import { hasToolbar, startsInFullScreen } from '../policy.ts';
import { HoursNotice } from '../portal/HoursNotice.tsx';
import { me } from '../queries.ts';
import { Notes } from '@oriel/look/notes';
import { tabSession } from './controller.ts';
import { phaseOf } from './machine.ts';
import { fullScreenAtNextTouch } from './full-screen.ts';
import { Overlay } from './Overlay.tsx';
import classes from './SessionPage.module.css';
import { Toolbar } from './Toolbar.tsx';
import { useTabFace } from './tab-face.ts';

export default function SessionPage() {
  const { t } = useTranslation();
  const controller = tabSession();
  const snapshot = useSyncExternalStore(controller.subscribe, () => controller.snapshot);
  const stage = useRef<HTMLDivElement>(null);
  const keys = useRef<HTMLTextAreaElement>(null);
  const wayOut = useRef<HTMLButtonElement>(null);
  const { state } = snapshot;
  const face = useTabFace(state);

  useEffect(() => {
    if (!stage.current || !keys.current) return;
    const field = keys.current;
    const undo = [
      controller.attach(stage.current),
      attachKeyboard(field, controller, {
        mac: /Mac/.test(navigator.platform),
        mayPaste: () => controller.clipboard.ways.into,
        paste: (text) => controller.clipboard.fromUser(text),
        leave: () => wayOut.current?.focus(),
      }),
      attachPointer(stage.current, controller, {
        canvas: () => controller.canvas,
        focus: (kind) => {
          // A finger must not bring up the on-screen keyboard; its button does.
          if (kind === 'touch' && field.inputMode !== 'text') field.inputMode = 'none';
          field.focus({ preventScroll: true });
        },
      }),
    ];
    return () => undo.forEach((each) => each());
  }, [controller]);

  const connected = state.name === 'connected';
  const wantsFullScreen = connected && startsInFullScreen(state.launch.policy, state.launch.size);
  useEffect(() => (wantsFullScreen ? fullScreenAtNextTouch() : undefined), [wantsFullScreen]);
  const user = useQuery({ ...me, enabled: connected });
  useEffect(() => watchHands(), []);
  useEffect(() => {
    if (connected) keys.current?.focus({ preventScroll: true });
  }, [connected]);

  return (
    <main
      className={classes.page}
      data-testid="session"
      data-state={phaseOf(state)}
      data-step={state.name}
      data-session={state.goal.session ?? undefined}
    >
      <h1 className={classes.heading}>{face.name || t('session.unnamed')}</h1>
      <div ref={stage} className={classes.stage} data-testid="stage" />
      <textarea
        ref={keys}
        className={classes.keys}
        aria-label={t('session.keys', { name: face.name || t('session.unnamed') })}
        aria-describedby="way-out"
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        tabIndex={connected ? 0 : -1}
        data-testid="keys"
      />
      <p id="way-out" className={classes.heading}>
        {t('session.way_out')}
      </p>
      {connected && hasToolbar(state.launch.policy) && (
        <Toolbar controller={controller} snapshot={snapshot} launch={state.launch} wayOut={wayOut} keys={keys} />
      )}
      {connected && (
        // Whatever is clicked there, keys go to the program again.
        <div className={classes.notice} onClick={() => keys.current?.focus({ preventScroll: true })}>
          <HoursNotice hours={user.data?.hours ?? null} mayClose />
        </div>
      )}
      <Overlay controller={controller} snapshot={snapshot} face={face} />
      <Notes />
    </main>
  );
}
