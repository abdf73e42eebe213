/** Key combinations that a browser or operating system keeps for itself, sent by name. */
import type { Input } from '../remote-session.ts';
import { scancodeOf } from './scancodes.ts';

export const COMBINATIONS = {
  ctrl_alt_del: ['ControlLeft', 'AltLeft', 'Delete'],
  alt_tab: ['AltLeft', 'Tab'],
  alt_f4: ['AltLeft', 'F4'],
  win: ['MetaLeft'],
  escape: ['Escape'],
  print_screen: ['PrintScreen'],
  tab: ['Tab'],
  ctrl: ['ControlLeft'],
} as const satisfies Record<string, readonly string[]>;

export type Combination = keyof typeof COMBINATIONS;

/** Down in order, up in reverse. */
export function inputsOf(combination: Combination): Input[] {
  return pressAll(COMBINATIONS[combination]);
}

export function pressAll(codes: readonly string[]): Input[] {
  const keys = codes.map((code) => scancodeOf(code)).filter((code) => code !== undefined);
  return [
    ...keys.map((scancode): Input => ({ type: 'key', scancode, down: true })),
    ...keys.toReversed().map((scancode): Input => ({ type: 'key', scancode, down: false })),
  ];
}
