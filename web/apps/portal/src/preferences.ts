/**
 * What a user sets for this browser: kept in local storage, shared between the portal's tabs as
 * it changes. The colour scheme is kept by Mantine, beside it. Nothing of React here: the session
 * page asks for its launch before React has come.
 */
export type Language = 'auto' | 'en' | 'de';

export interface Preferences {
  language: Language;
  /** Windows layout id, or found out anew each time. */
  layout: number | 'auto';
  clipboard: boolean;
  /** What the user calls this device; empty: nothing. */
  deviceName: string;
}

/** As Windows has it. */
export const DEVICE_NAME_MAX = 63;

const KEY = 'oriel.preferences';
const DEFAULTS: Preferences = { language: 'auto', layout: 'auto', clipboard: true, deviceName: '' };

const listeners = new Set<() => void>();
let current = read();

window.addEventListener('storage', (event) => {
  if (event.key !== KEY) return;
  current = read();
  listeners.forEach((tell) => tell());
});

export const preferences = (): Preferences => current;

export function setPreferences(changes: Partial<Preferences>): void {
  current = { ...current, ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // No storage in this browser mode: it holds until the tab is closed.
  }
  listeners.forEach((tell) => tell());
}

export function onPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Preferences {
  try {
    return sound(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  } catch {
    return DEFAULTS;
  }
}

/** Takes what is usable of what was stored, by whichever version. */
export function sound(stored: unknown): Preferences {
  const from = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<Preferences>;
  return {
    language: from.language === 'en' || from.language === 'de' ? from.language : DEFAULTS.language,
    layout: typeof from.layout === 'number' && Number.isInteger(from.layout) ? from.layout : DEFAULTS.layout,
    clipboard: typeof from.clipboard === 'boolean' ? from.clipboard : DEFAULTS.clipboard,
    deviceName: typeof from.deviceName === 'string' ? from.deviceName.slice(0, DEVICE_NAME_MAX) : DEFAULTS.deviceName,
  };
}
