/**
 * Text that arrives without keys: from an on-screen keyboard, an input method, or dictation.
 * What such a keyboard does to a text field is turned into backspaces and characters.
 */
import type { Input } from '../remote-session.ts';
import { pressAll } from './combinations.ts';

/** What turns the field's text from `before` into `after` by typing at its end. */
export function typedBetween(before: string, after: string): { backspaces: number; text: string } {
  const old = [...before];
  const now = [...after];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same += 1;
  return { backspaces: old.length - same, text: now.slice(same).join('') };
}

export function inputsOfText(text: string): Input[] {
  return [...text.replaceAll('\r\n', '\n')].flatMap((character): Input[] => {
    if (character === '\n') return pressAll(['Enter']);
    if (character === '\t') return pressAll(['Tab']);
    return [
      { type: 'character', character, down: true },
      { type: 'character', character, down: false },
    ];
  });
}

export function inputsOfTyping(before: string, after: string): Input[] {
  const { backspaces, text } = typedBetween(before, after);
  return [...Array.from({ length: backspaces }, () => pressAll(['Backspace'])).flat(), ...inputsOfText(text)];
}
