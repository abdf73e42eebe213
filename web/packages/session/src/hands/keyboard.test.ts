import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Input } from '../remote-session.ts';
import { attachKeyboard } from './keyboard.ts';
import { scancodeOf } from './scancodes.ts';

beforeAll(() => vi.stubGlobal('window', globalThis));

/** What browsers were seen to report, in short; the rest is as if nothing were held. */
type Report = [type: string, facts: Record<string, unknown>];

class Field extends EventTarget {
  value = '';
  setSelectionRange(): void {}
}

/** What the host gets: keys with + and -, text in quotes. */
function sent(reports: Report[], mac = false): string[] {
  const inputs: Input[] = [];
  const field = new Field();
  const target = { send: (more: Input[]) => void inputs.push(...more), release: () => {}, setLocks: () => {} };
  attachKeyboard(field as unknown as HTMLTextAreaElement, target, { mac, mayPaste: () => false, paste: () => false, leave: () => {} });
  for (const [type, facts] of reports) {
    const { text, altGraph, ...rest } = facts;
    if (typeof text === 'string') field.value += text;
    const held = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, keyCode: 0, key: '', code: '', timeStamp: 0 };
    const getModifierState = (name: string) => name === 'AltGraph' && altGraph === true;
    const event = new Event(type, { cancelable: true });
    for (const [name, value] of Object.entries({ ...held, ...rest, getModifierState })) Object.defineProperty(event, name, { value });
    field.dispatchEvent(event);
  }
  return inputs.map((input) => {
    if (input.type === 'character') return `${input.down ? '+' : '-'}“${input.character}”`;
    if (input.type !== 'key') throw new Error(input.type);
    const code = ['ControlLeft', 'AltRight', 'AltLeft', 'ShiftLeft', 'KeyQ', 'KeyE', 'KeyA', 'Equal', 'MetaLeft'].find((each) => scancodeOf(each) === input.scancode);
    return `${input.down ? '+' : '-'}${code}`;
  });
}

describe('a keyboard', () => {
  it.each<[string, Report[], string[]]>([
    [
      'AltGr on Windows comes without its Control',
      [
        ['keydown', { code: 'ControlLeft', ctrlKey: true, timeStamp: 50 }],
        ['keydown', { code: 'AltRight', key: 'AltGraph', ctrlKey: true, altKey: true, timeStamp: 51 }],
        ['keydown', { code: 'KeyQ', key: '@', ctrlKey: true, altKey: true, altGraph: true, timeStamp: 90 }],
        ['keyup', { code: 'KeyQ' }],
        ['keyup', { code: 'ControlLeft' }],
        ['keyup', { code: 'AltRight', key: 'AltGraph' }],
      ],
      ['+ControlLeft', '-ControlLeft', '+AltRight', '+KeyQ', '-KeyQ', '-AltRight'],
    ],
    [
      'Control that a finger holds stays with AltGr',
      [
        ['keydown', { code: 'ControlLeft', ctrlKey: true, timeStamp: 50 }],
        ['keydown', { code: 'AltRight', key: 'AltGraph', ctrlKey: true, timeStamp: 150 }],
        ['keydown', { code: 'KeyQ', key: '@', ctrlKey: true, altGraph: true, timeStamp: 190 }],
      ],
      ['+ControlLeft', '+AltRight', '+KeyQ'],
    ],
    [
      'AltGr at a place without a name is AltGr',
      [['keydown', { code: '', key: 'AltGraph' }], ['keyup', { code: '', key: 'AltGraph' }]],
      ['+AltRight', '-AltRight'],
    ],
    [
      'a dead key and its letter go as keys, and the letter not as text as well',
      [
        ['keydown', { code: 'Equal', key: 'Process', keyCode: 229 }],
        ['compositionupdate', { data: '´' }],
        ['input', { text: '´', isComposing: true }],
        ['keyup', { code: 'Equal', key: 'Dead', isComposing: true }],
        ['keydown', { code: 'KeyE', key: 'Process', keyCode: 229, isComposing: true }],
        ['compositionupdate', { data: 'é' }],
        ['input', { text: 'é', isComposing: true }],
        ['compositionend', { data: 'é' }],
        ['keyup', { code: 'KeyE' }],
      ],
      ['+Equal', '-Equal', '+KeyE', '-KeyE'],
    ],
    [
      'what an input method makes of keys goes as text, and the keys do not',
      [
        ['keydown', { code: 'KeyA', key: 'Process', keyCode: 229 }],
        ['compositionupdate', { data: 'あ' }],
        ['input', { text: 'あ', isComposing: true }],
        ['compositionend', { data: 'あ' }],
        ['keyup', { code: 'KeyA' }],
      ],
      ['+“あ”', '-“あ”'],
    ],
    [
      'Shift is let go when the browser kept its end to itself',
      [
        ['keydown', { code: 'ShiftLeft', shiftKey: true }],
        ['keydown', { code: 'KeyA' }],
      ],
      ['+ShiftLeft', '-ShiftLeft', '+KeyA'],
    ],
  ])('%s', (_name, reports, expected) => {
    expect(sent(reports)).toEqual(expected);
  });

  it('has Control where a Mac has Command, for as long as it is held', () => {
    const reports: Report[] = [['keydown', { code: 'MetaLeft', metaKey: true }], ['keydown', { code: 'KeyA', metaKey: true }]];
    expect(sent(reports, true)).toEqual(['+ControlLeft', '+KeyA']);
  });
});
