import type { Channels, ClientPolicy, PolicySettings } from '@oriel/api';
import { describe, expect, it } from 'vitest';
import { copyWays, followsWindow, locksOf, reconnectMs, startsInFullScreen, wantedSize } from './policy.ts';

const policy = (settings: PolicySettings): ClientPolicy => ({ name: 'Office', settings });
const open: Channels = { clipboard: true, drives: true, audio: true, microphone: true, printers: true };
const clipboard = (facts: Partial<NonNullable<PolicySettings['clipboard']>>) =>
  policy({ clipboard: { direction: 'both', kinds: [], max_kib: null, ...facts } });

describe('the clipboard', () => {
  it.each([
    [null, true, true],
    [policy({}), true, true],
    [clipboard({}), true, true],
    [clipboard({ direction: 'to_session' }), true, false],
    [clipboard({ direction: 'from_session' }), false, true],
    [clipboard({ direction: 'none' }), false, false],
    [clipboard({ kinds: ['text', 'html'] }), true, true],
    [clipboard({ kinds: ['images'] }), false, false],
  ])('of %j goes into the session: %s, out: %s', (set, into, out) => {
    expect(copyWays(set, open)).toEqual({ into, out });
  });

  it('is closed where its channel is', () => {
    expect(copyWays(null, { ...open, clipboard: false })).toEqual({ into: false, out: false });
  });
});

describe('the size', () => {
  const area = { width: 1200, height: 800 };
  const display = (facts: Partial<NonNullable<PolicySettings['display']>>) =>
    policy({ display: { full_screen: false, follow_window: true, scale_percent: null, ...facts } });

  it('is that of the window, enlarged as the policy says', () => {
    expect(wantedSize(null, { as: 'client' }, area)).toEqual(area);
    expect(wantedSize(display({ scale_percent: 150 }), { as: 'client' }, area)).toEqual({ width: 800, height: 532 });
  });

  it('is fixed where the desktop is', () => {
    const fixed = { as: 'fixed', width: 1024, height: 768 } as const;
    expect(wantedSize(display({ scale_percent: 150 }), fixed, area)).toEqual({ width: 1024, height: 768 });
    expect(followsWindow(null, fixed)).toBe(false);
    expect(followsWindow(display({ follow_window: false }), { as: 'client' })).toBe(false);
    expect(followsWindow(null, { as: 'client' })).toBe(true);
  });

  it('is the whole screen for the desktop or by policy', () => {
    expect(startsInFullScreen(null, { as: 'full_screen' })).toBe(true);
    expect(startsInFullScreen(display({ full_screen: true }), { as: 'client' })).toBe(true);
    expect(startsInFullScreen(null, { as: 'client' })).toBe(false);
  });
});

describe('reconnecting', () => {
  const connection = (reconnect: boolean) => policy({ connection: { reconnect, reconnect_minutes: 5, prelaunch: 'off', max_minutes: null } });
  it('goes on as long as the policy says', () => {
    expect(reconnectMs(null)).toBeNull();
    expect(reconnectMs(connection(true))).toBe(300_000);
    expect(reconnectMs(connection(false))).toBe(0);
  });
});

it('names what is locked, and nothing of an absent group', () => {
  expect(locksOf(null)).toEqual([]);
  expect(locksOf(policy({ clipboard: { direction: 'none', kinds: [], max_kib: null } }))).toEqual([]);
  expect(
    locksOf(
      policy({
        display: { full_screen: true, follow_window: true, scale_percent: 125 },
        network: { quality: 'slow', max_kbits: 2000 },
        options: { toolbar: true, session_list: false, sign_out_minutes: 30 },
      }),
    ),
  ).toEqual([
    { key: 'full_screen' },
    { key: 'scale', percent: 125 },
    { key: 'slow' },
    { key: 'max_kbits', kbits: 2000 },
    { key: 'no_session_list' },
    { key: 'sign_out', count: 30 },
  ]);
});

it.each([
  [{ drives: { direction: 'both' } }, []],
  [{ drives: { direction: 'none' } }, ['no_drives']],
  [{ drives: { direction: 'to_session' } }, ['drives_to_session']],
  [{ drives: { direction: 'from_session' } }, ['drives_from_session']],
  [{ printing: { printers: false } }, ['no_printers']],
  [{ audio: { playback: true, recording: true } }, []],
  [{ audio: { playback: true, recording: false } }, ['no_microphone']],
  [{ audio: { playback: false, recording: true } }, ['no_sound']],
  [{ audio: { playback: false, recording: false } }, ['no_sound', 'no_microphone']],
  [{ network: { quality: 'automatic', max_kbits: null } }, []],
  [{ network: { quality: 'fast', max_kbits: null } }, ['fast']],
  [{ connection: { reconnect: false, reconnect_minutes: 5, prelaunch: 'basic', max_minutes: null } }, ['no_reconnect', 'prelaunch']],
  [{ redirection: { routes: [] } }, ['redirection']],
] satisfies [PolicySettings, string[]][])('%j locks %j', (settings, keys) => {
  expect(locksOf(policy(settings)).map((lock) => lock.key)).toEqual(keys);
});
