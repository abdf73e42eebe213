import { describe, expect, it } from 'vitest';
import { desktopSize } from '../size.ts';
import { inputsOf } from './combinations.ts';
import { scancodeOf } from './scancodes.ts';
import { HOLD_MS, TouchGestures, type Gesture } from './touch.ts';
import { typedBetween } from './typing.ts';
import { Wheel, notches } from './wheel.ts';

describe('keys', () => {
  it.each([
    ['Escape', 0x01],
    ['Backspace', 0x0e],
    ['Enter', 0x1c],
    ['KeyA', 0x1e],
    ['Backquote', 0x29],
    ['ShiftRight', 0x36],
    ['Space', 0x39],
    ['F10', 0x44],
    ['NumpadDecimal', 0x53],
    ['F12', 0x58],
    ['IntlRo', 0x73],
    ['IntlYen', 0x7d],
    ['NumpadEnter', 0xe01c],
    ['ControlRight', 0xe01d],
    ['PrintScreen', 0xe037],
    ['AltRight', 0xe038],
    ['PageUp', 0xe049],
    ['Delete', 0xe053],
    ['MetaLeft', 0xe05b],
    ['ContextMenu', 0xe05d],
    ['BrowserBack', 0xe06a],
    ['MediaSelect', 0xe06d],
    ['', undefined],
  ])('%s is %s', (code, scancode) => {
    expect(scancodeOf(code)).toBe(scancode);
  });

  it('are pressed in order and let go in reverse', () => {
    expect(inputsOf('ctrl_alt_del').map((each) => each.type === 'key' && [each.scancode, each.down])).toEqual([
      [0x1d, true], [0x38, true], [0xe053, true], [0xe053, false], [0x38, false], [0x1d, false],
    ]);
  });
});

describe('typing without keys', () => {
  it.each([
    ['    ', '    a', 0, 'a'],
    ['    ', '   ', 1, ''],
    ['  teh', '  the ', 2, 'he '],
    [' ', ' 😀', 0, '😀'],
    ['ab', 'ab', 0, ''],
  ])('%j to %j', (before, after, backspaces, text) => {
    expect(typedBetween(before, after)).toEqual({ backspaces, text });
  });
});

describe('fingers', () => {
  type Act = (touch: TouchGestures) => Gesture[];
  const at = (x: number, y: number) => ({ x, y });
  const kinds = (acts: Act[]): string[] => {
    const touch = new TouchGestures();
    return acts.flatMap((act) => act(touch)).map((each) => (each.type === 'click' ? `click${each.button}` : each.type));
  };
  it.each<[string, Act[], string[]]>([
    ['a tap is a click', [(t) => t.down(1, at(5, 5), 0), (t) => t.move(1, at(8, 8)), (t) => t.up(1)], ['click0']],
    ['holding is a right click', [(t) => t.down(1, at(5, 5), 0), (t) => t.tick(HOLD_MS), (t) => t.up(1)], ['click2']],
    ['an early tick is nothing', [(t) => t.down(1, at(5, 5), 10), (t) => t.tick(HOLD_MS), (t) => t.up(1)], ['click0']],
    ['one finger drags', [(t) => t.down(1, at(5, 5), 0), (t) => t.move(1, at(50, 5)), (t) => t.move(1, at(60, 5)), (t) => t.up(1)], ['press', 'drag', 'drag', 'release']],
    ['two fingers scroll', [(t) => t.down(1, at(5, 5), 0), (t) => t.down(2, at(50, 5), 9), (t) => t.move(2, at(50, 45)), (t) => t.up(1), (t) => t.move(2, at(0, 0)), (t) => t.up(2)], ['scroll']],
    ['a second finger ends a drag', [(t) => t.down(1, at(5, 5), 0), (t) => t.move(1, at(50, 5)), (t) => t.down(2, at(9, 9), 9)], ['press', 'drag', 'release']],
    ['what the browser takes away clicks nothing', [(t) => t.down(1, at(5, 5), 0), (t) => t.cancel(1)], []],
    ['three fingers do nothing', [(t) => t.down(1, at(5, 5), 0), (t) => t.down(2, at(6, 5), 0), (t) => t.down(3, at(7, 5), 0), (t) => t.move(3, at(90, 90)), (t) => t.up(1), (t) => t.up(2), (t) => t.up(3)], []],
  ])('%s', (_name, acts, expected) => {
    expect(kinds(acts)).toEqual(expected);
  });
});

describe('the wheel', () => {
  it('turns whole notches', () => {
    const wheel = new Wheel();
    expect([30, 30, 30, 30, 80].map((y) => wheel.turn({ x: 0, y }, 'pixel').y)).toEqual([0, 0, 0, -120, -120]);
    expect(wheel.turn({ x: 0, y: -100 }, 'pixel')).toEqual({ x: 0, y: 120 });
    expect(wheel.turn({ x: 3, y: 0 }, 'line')).toEqual({ x: -120, y: 0 });
    expect(wheel.turn({ x: 0, y: 1e9 }, 'pixel').y).toBe(-1200);
  });
  it('sends them one by one', () => {
    expect(notches(-240)).toEqual([-120, -120]);
    expect(notches(0)).toEqual([]);
  });
});

describe('the desktop size', () => {
  it.each([
    [1283, 801, 1280, 800],
    [390, 844, 640, 1384],
    [0, 0, 200, 200],
    [20000, 9000, 8192, 8192],
  ])('of an area of %i×%i is %i×%i', (width, height, w, h) => {
    expect(desktopSize({ width, height })).toEqual({ width: w, height: h });
  });
});
