/** What a user sets for this browser. */
import { languageOf, type Language } from '@oriel/look/languages';
import { keep } from '@oriel/look/preferences';

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

export const kept = keep<Preferences>('oriel.preferences', ({ language, layout, clipboard, deviceName }) => ({
  language: languageOf(language),
  layout: typeof layout === 'number' && Number.isInteger(layout) ? layout : 'auto',
  clipboard: typeof clipboard === 'boolean' ? clipboard : true,
  deviceName: typeof deviceName === 'string' ? deviceName.slice(0, DEVICE_NAME_MAX) : '',
}));

export const { now: preferences, set: setPreferences, on: onPreferences } = kept;
