/** What a client policy means for the pages. Pure; the gateway enforces what matters, the pages tell of it. */
import type { Channels, ClientPolicy, DesktopSize } from '@oriel/api';
import type { CopyWays, Size } from '@oriel/session/types';
import { desktopSize } from '@oriel/session/size';

export type Policy = ClientPolicy | null;

/** Which ways text may be copied, as far as the organisation goes. */
export function copyWays(policy: Policy, channels: Channels): CopyWays {
  const clipboard = policy?.settings.clipboard;
  if (!channels.clipboard) return { into: false, out: false };
  if (!clipboard) return { into: true, out: true };
  const { direction, kinds } = clipboard;
  // Text is all that the page carries.
  const text = kinds.length === 0 || kinds.includes('text');
  return {
    into: text && (direction === 'both' || direction === 'to_session'),
    out: text && (direction === 'both' || direction === 'from_session'),
  };
}

/** Whether sessions open over the whole screen. */
export const startsInFullScreen = (policy: Policy, size: DesktopSize): boolean =>
  size.as === 'full_screen' || (size.as === 'client' && policy?.settings.display?.full_screen === true);

/** Whether the desktop takes the size of its window; if not, its picture is made to fit. */
export const followsWindow = (policy: Policy, size: DesktopSize): boolean =>
  size.as !== 'fixed' && policy?.settings.display?.follow_window !== false;

/** The size to ask for in an area of the page. */
export function wantedSize(policy: Policy, size: DesktopSize, area: Size): Size {
  if (size.as === 'fixed') return { width: size.width, height: size.height };
  const scale = (policy?.settings.display?.scale_percent ?? 100) / 100;
  return desktopSize({ width: area.width / scale, height: area.height / scale });
}

export const hasToolbar = (policy: Policy): boolean => policy?.settings.options?.toolbar !== false;
export const mayEndSessions = (policy: Policy): boolean => policy?.settings.options?.session_list !== false;
export const takesSystemKeys = (policy: Policy): boolean => policy?.settings.keyboard?.system_keys !== false;

/** For how long a lost connection is taken up again, in ms; null: as long as the page likes. */
export function reconnectMs(policy: Policy): number | null {
  const connection = policy?.settings.connection;
  if (!connection) return null;
  return connection.reconnect ? connection.reconnect_minutes * 60_000 : 0;
}

/** What a policy sets and the settings tell of, as keys of `locked.` and what is put in. */
export type Lock =
  | { key: 'full_screen' | 'scaled' | 'no_toolbar' | 'no_session_list' | 'no_system_keys' | 'no_reconnect' | 'prelaunch' | 'slow' | 'fast' }
  | { key: 'no_drives' | 'drives_to_session' | 'drives_from_session' | 'no_printers' | 'no_sound' | 'no_microphone' | 'redirection' }
  | { key: 'scale'; percent: number }
  | { key: 'reconnect' | 'max_minutes' | 'sign_out'; count: number }
  | { key: 'max_kbits'; kbits: number };

/** Keyboard layout and clipboard have their own place in the settings. */
export function locksOf(policy: Policy): Lock[] {
  if (!policy) return [];
  const { display, drives, printing, audio, keyboard, connection, network, options, redirection } = policy.settings;
  const locks: (Lock | false | null | undefined)[] = [
    display?.full_screen && { key: 'full_screen' },
    display && !display.follow_window && { key: 'scaled' },
    display?.scale_percent != null && { key: 'scale', percent: display.scale_percent },
    keyboard && !keyboard.system_keys && { key: 'no_system_keys' },
    connection && (connection.reconnect ? { key: 'reconnect', count: connection.reconnect_minutes } : { key: 'no_reconnect' }),
    connection?.prelaunch === 'basic' && { key: 'prelaunch' },
    connection?.max_minutes != null && { key: 'max_minutes', count: connection.max_minutes },
    network && network.quality !== 'automatic' && { key: network.quality },
    network?.max_kbits != null && { key: 'max_kbits', kbits: network.max_kbits },
    drives && drives.direction !== 'both' && { key: drives.direction === 'none' ? 'no_drives' : `drives_${drives.direction}` },
    printing && !printing.printers && { key: 'no_printers' },
    audio && !audio.playback && { key: 'no_sound' },
    audio && !audio.recording && { key: 'no_microphone' },
    options && !options.toolbar && { key: 'no_toolbar' },
    options && !options.session_list && { key: 'no_session_list' },
    options?.sign_out_minutes != null && { key: 'sign_out', count: options.sign_out_minutes },
    redirection && { key: 'redirection' },
  ];
  return locks.filter((lock): lock is Lock => Boolean(lock));
}
