/**
 * Keyboard layouts, as Windows numbers them. Keys are sent by their place on the keyboard, so
 * the host must know what is printed on them.
 * Source of the numbers: Windows keyboard identifiers ("Default input locales").
 */

export interface Layout {
  id: number;
  /** In its own language, as keyboards are sold. */
  name: string;
  /** Language tags whose users most likely have it, best first. */
  languages: string[];
  /** What some keys type; all must match. Only for layouts that can be told by them. */
  keys?: Record<string, string>;
}

export const US = 0x409;

/** The first whose keys match wins, so the more particular come first. */
export const LAYOUTS: Layout[] = [
  { id: 0x807, name: 'Deutsch (Schweiz)', languages: ['de-ch', 'de-li'], keys: { KeyZ: 'y', BracketLeft: 'ü', Minus: "'" } },
  { id: 0x100c, name: 'Français (Suisse)', languages: ['fr-ch'], keys: { KeyZ: 'y', BracketLeft: 'è', Minus: "'" } },
  { id: 0x407, name: 'Deutsch', languages: ['de'], keys: { KeyZ: 'y', BracketLeft: 'ü', Semicolon: 'ö', Minus: 'ß' } },
  { id: 0x80c, name: 'Français (Belgique)', languages: ['fr-be', 'nl-be'], keys: { KeyQ: 'a', Equal: '-' } },
  { id: 0x40c, name: 'Français', languages: ['fr'], keys: { KeyQ: 'a', KeyZ: 'w' } },
  { id: 0x1009, name: 'Français (Canada)', languages: ['fr-ca'], keys: { Slash: 'é', Semicolon: ';' } },
  { id: 0x40a, name: 'Español', languages: ['es'], keys: { Semicolon: 'ñ', Equal: '¡' } },
  { id: 0x80a, name: 'Español (Latinoamérica)', languages: ['es-419', 'es-mx', 'es-ar', 'es-co', 'es-cl'], keys: { Semicolon: 'ñ', Equal: '¿' } },
  { id: 0x410, name: 'Italiano', languages: ['it'], keys: { Semicolon: 'ò', BracketLeft: 'è' } },
  { id: 0x416, name: 'Português (Brasil)', languages: ['pt-br'], keys: { Semicolon: 'ç', Minus: '-' } },
  { id: 0x816, name: 'Português', languages: ['pt'], keys: { Semicolon: 'ç', Minus: "'" } },
  { id: 0x406, name: 'Dansk', languages: ['da'], keys: { Semicolon: 'æ', Quote: 'ø' } },
  { id: 0x414, name: 'Norsk', languages: ['nb', 'nn', 'no'], keys: { Semicolon: 'ø', Quote: 'æ' } },
  { id: 0x41d, name: 'Svenska', languages: ['sv'], keys: { BracketLeft: 'å', Semicolon: 'ö' } },
  { id: 0x40b, name: 'Suomi', languages: ['fi'] },
  { id: 0x40e, name: 'Magyar', languages: ['hu'], keys: { KeyZ: 'y', Semicolon: 'é', Quote: 'á' } },
  { id: 0x405, name: 'Čeština', languages: ['cs'], keys: { Digit2: 'ě', Digit3: 'š' } },
  { id: 0x41b, name: 'Slovenčina', languages: ['sk'], keys: { Digit2: 'ľ', Digit3: 'š' } },
  { id: 0x41f, name: 'Türkçe (Q)', languages: ['tr'], keys: { KeyI: 'ı', BracketLeft: 'ğ' } },
  { id: 0x419, name: 'Русский', languages: ['ru'], keys: { KeyQ: 'й', KeyS: 'ы' } },
  { id: 0x422, name: 'Українська', languages: ['uk'], keys: { KeyQ: 'й', KeyS: 'і' } },
  { id: 0x408, name: 'Ελληνικά', languages: ['el'], keys: { KeyA: 'α' } },
  { id: 0x10409, name: 'English (Dvorak)', languages: [], keys: { KeyQ: "'", KeyS: 'o' } },
  { id: 0x809, name: 'English (United Kingdom)', languages: ['en-gb', 'en-ie'], keys: { KeyQ: 'q', KeyZ: 'z', Backslash: '#' } },
  { id: 0x415, name: 'Polski', languages: ['pl'] },
  { id: 0x413, name: 'Nederlands', languages: ['nl'] },
  { id: 0x411, name: '日本語', languages: ['ja'], keys: { BracketLeft: '@', BracketRight: '[' } },
  { id: 0x412, name: '한국어', languages: ['ko'] },
  { id: 0x804, name: '中文（简体）', languages: ['zh-cn', 'zh'] },
  { id: 0x404, name: '中文（繁體）', languages: ['zh-tw'] },
  { id: US, name: 'English (United States)', languages: ['en'] },
];

/** Languages whose keyboards look like the US one to a page, but have a layout of their own. */
const LOOK_LIKE_US = new Set([0x415, 0x412, 0x804, 0x404]);

/** Finds the layout from what the keys type (Chromium tells) and from the user's languages. */
export function layoutOf(keys: ReadonlyMap<string, string> | null, languages: readonly string[]): number {
  const spoken = languages.map(layoutOfLanguage).find((id) => id !== undefined) ?? US;
  if (!keys || keys.size === 0) return spoken;
  const printed = LAYOUTS.find(
    (layout) => layout.keys && Object.entries(layout.keys).every(([code, key]) => keys.get(code) === key),
  );
  // Swedish and Finnish keyboards are printed alike.
  if (printed?.id === 0x41d && spoken === 0x40b) return spoken;
  if (printed) return printed.id;
  const usual = keys.get('KeyQ') === 'q' && keys.get('KeyZ') === 'z' && keys.get('BracketLeft') === '[';
  if (usual) return LOOK_LIKE_US.has(spoken) ? spoken : US;
  return spoken;
}

/** The layout of a language tag; undefined: none is known. */
export function layoutOfLanguage(language: string): number | undefined {
  const tag = language.toLowerCase();
  const exact = LAYOUTS.find((layout) => layout.languages.includes(tag));
  if (exact) return exact.id;
  const base = tag.split('-')[0] ?? tag;
  return LAYOUTS.find((layout) => layout.languages.includes(base))?.id;
}

interface KeyboardApi {
  getLayoutMap?(): Promise<ReadonlyMap<string, string>>;
  lock?(): Promise<void>;
  unlock?(): void;
}

/** Chromium's Keyboard API, where there is one. */
export const keyboardApi = (): KeyboardApi | undefined =>
  (navigator as Navigator & { keyboard?: KeyboardApi }).keyboard;

export async function detectLayout(): Promise<number> {
  let keys: ReadonlyMap<string, string> | null = null;
  try {
    keys = (await keyboardApi()?.getLayoutMap?.()) ?? null;
  } catch {
    // Refused in a frame without permission: the languages must do.
  }
  return layoutOf(keys, navigator.languages);
}
