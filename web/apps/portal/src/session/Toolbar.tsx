import { ActionIcon, Divider, Menu, Popover, Text, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { Launch } from '@oriel/api';
import { inputsOf, type Combination } from '@oriel/session';
import { keyboardApi } from '@oriel/session/layouts';
import {
  IconChevronDown, IconClipboardOff, IconClipboardText, IconCommand, IconKeyboard, IconMaximize, IconMinimize, IconPlugX, IconPower, IconSettings,
} from '@tabler/icons-react';
import { Suspense, lazy, useEffect, useState, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import { copyWays, mayEndSessions, takesSystemKeys } from '../policy.ts';
import { Confirm } from '@oriel/look/confirm';
import { notifyFailure } from '../ui/notify.ts';
import { ClipboardPanel } from './ClipboardPanel.tsx';
import type { SessionController, Snapshot } from './controller.ts';
import { toggleFullScreen, useFullScreen } from './full-screen.ts';
import classes from './Toolbar.module.css';

/** Only who opens the settings waits for them. */
const Settings = lazy(async () => ({ default: (await import('../portal/Settings.tsx')).Settings }));

/** The bar shows itself once in a tab, not after every reconnect. */
let introduced = false;

/** How long it stays when nobody uses it. */
const LINGER_MS = 2_500;

const KEYS: Combination[] = ['ctrl_alt_del', 'alt_tab', 'alt_f4', 'win', 'escape', 'print_screen'];

interface Props {
  controller: SessionController;
  snapshot: Snapshot;
  launch: Launch;
  wayOut: RefObject<HTMLButtonElement | null>;
  keys: RefObject<HTMLTextAreaElement | null>;
}

export function Toolbar({ controller, snapshot, launch, wayOut, keys }: Props) {
  const { t } = useTranslation();
  const [pinned, setPinned] = useState(false);
  const [busy, setBusy] = useState(0);
  const [fresh, setFresh] = useState(!introduced);
  const [asking, ask] = useDisclosure(false);
  const [loggingOff, setLoggingOff] = useState(false);
  const fullscreen = useFullScreen();
  const ways = copyWays(launch.policy, launch.channels);
  const clipboardAllowed = ways.into || ways.out;
  const systemKeys = takesSystemKeys(launch.policy);
  const [settingsOpen, setSettingsOpen] = useState(false);

  useEffect(() => {
    introduced = true;
    const timer = window.setTimeout(() => setFresh(false), LINGER_MS);
    return () => window.clearTimeout(timer);
  }, []);

  useEffect(() => {
    // In full screen the browser lets even Escape, Alt+Tab and the system key through.
    if (fullscreen && systemKeys) void keyboardApi()?.lock?.().catch(() => {});
    else keyboardApi()?.unlock?.();
  }, [fullscreen, systemKeys]);

  const toSession = () => window.setTimeout(() => keys.current?.focus({ preventScroll: true }), 0);
  const whileOpen = { onOpen: () => setBusy((count) => count + 1), onClose: () => setBusy((count) => Math.max(0, count - 1)) };

  const showKeyboard = () => {
    const field = keys.current;
    if (!field) return;
    const hide = field.inputMode === 'text' && document.activeElement === field;
    field.blur();
    field.inputMode = hide ? 'none' : 'text';
    field.focus({ preventScroll: true });
  };

  const logOff = async () => {
    setLoggingOff(true);
    try {
      await controller.logOff();
      ask.close();
    } catch (error) {
      notifyFailure(error, t);
    } finally {
      setLoggingOff(false);
    }
  };

  return (
    <div className={classes.holder} data-open={pinned || busy > 0 || fresh || undefined} data-testid="toolbar">
      <div className={classes.bar} role="toolbar" aria-label={t('toolbar.name')}>
        <Text size="sm" fw={600} className={classes.name} truncate>
          {launch.resource_name}
        </Text>
        <Divider orientation="vertical" className={classes.name} />
        <Menu {...whileOpen} position="bottom" width={264} returnFocus={false} onExitTransitionEnd={toSession}>
          <Menu.Target>
            <Tooltip label={t('toolbar.keys')}>
              <ActionIcon aria-label={t('toolbar.keys')} color="gray" className={classes.button} data-testid="keys-menu">
                <IconCommand size={20} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{t('toolbar.keys_hint')}</Menu.Label>
            {KEYS.map((combination) => (
              <Menu.Item key={combination} onClick={() => controller.send(inputsOf(combination))}>
                {t(`key.${combination}`)}
              </Menu.Item>
            ))}
            <Menu.Divider />
            <Menu.Label>{t('session.way_out')}</Menu.Label>
          </Menu.Dropdown>
        </Menu>
        <Popover {...whileOpen} position="bottom" width={320} trapFocus withArrow={false} returnFocus={false}>
          <Popover.Target>
            <Tooltip label={t('clipboard.title')}>
              <ActionIcon aria-label={t('clipboard.title')} color="gray" className={classes.button} data-testid="clipboard-button" data-locked={!clipboardAllowed || undefined}>
                {clipboardAllowed ? <IconClipboardText size={20} aria-hidden /> : <IconClipboardOff size={20} aria-hidden />}
              </ActionIcon>
            </Tooltip>
          </Popover.Target>
          <Popover.Dropdown className={classes.panel} aria-label={t('clipboard.title')}>
            <ClipboardPanel controller={controller} received={snapshot.hostClipboard} launch={launch} />
          </Popover.Dropdown>
        </Popover>
        <Tooltip label={t('toolbar.keyboard')}>
          <ActionIcon aria-label={t('toolbar.keyboard')} color="gray" className={`${classes.button} ${classes.touchOnly}`} onClick={showKeyboard}>
            <IconKeyboard size={20} aria-hidden />
          </ActionIcon>
        </Tooltip>
        {document.fullscreenEnabled && (
          <Tooltip label={fullscreen ? t('toolbar.windowed') : t('toolbar.full_screen')}>
            <ActionIcon
              aria-label={fullscreen ? t('toolbar.windowed') : t('toolbar.full_screen')}
              color="gray"
              className={classes.button}
              onClick={() => void toggleFullScreen().then(toSession)}
              data-testid="full-screen"
            >
              {fullscreen ? <IconMinimize size={20} aria-hidden /> : <IconMaximize size={20} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
        <Tooltip label={t('settings.title')}>
          <ActionIcon aria-label={t('settings.title')} color="gray" className={classes.button} onClick={() => setSettingsOpen(true)} data-testid="session-settings">
            <IconSettings size={20} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Divider orientation="vertical" />
        <Tooltip label={t('toolbar.disconnect_hint')}>
          <ActionIcon aria-label={t('toolbar.disconnect')} color="gray" className={classes.button} onClick={() => controller.dispatch({ type: 'give_up' })} data-testid="disconnect">
            <IconPlugX size={20} aria-hidden />
          </ActionIcon>
        </Tooltip>
        {mayEndSessions(launch.policy) && (
          <Tooltip label={t('toolbar.log_off_hint')}>
            <ActionIcon aria-label={t('toolbar.log_off')} color="gray" className={classes.button} onClick={ask.open} data-testid="log-off">
              <IconPower size={20} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <button
        ref={wayOut}
        type="button"
        className={classes.handle}
        aria-expanded={pinned}
        aria-label={t('toolbar.show')}
        onClick={() => {
          setPinned(!pinned);
          if (pinned) toSession();
        }}
        data-testid="toolbar-handle"
      >
        <IconChevronDown size={16} aria-hidden data-turned={pinned || undefined} />
      </button>
      {settingsOpen && (
        <Suspense>
          <Settings
            opened
            close={() => {
              setSettingsOpen(false);
              toSession();
            }}
            policy={launch.policy}
          />
        </Suspense>
      )}
      <Confirm
        opened={asking}
        close={ask.close}
        title={t('sessions.confirm.title', { name: launch.resource_name })}
        text={t('sessions.confirm.text')}
        action={t('sessions.log_off')}
        busy={loggingOff}
        onConfirm={() => void logOff()}
      />
    </div>
  );
}
