import { describe, expect, it } from 'vitest';
import { nextRow } from './keys.ts';

describe('keys in a list', () => {
  it.each([
    ['ArrowDown', 3, 4], ['ArrowUp', 3, 2], ['ArrowUp', 0, 0], ['ArrowDown', 99, 99], ['Home', 50, 0], ['End', 50, 99], ['PageDown', 3, 13], ['PageDown', 95, 99], ['PageUp', 3, 0],
    ['Enter', 3, null], ['Tab', 3, null], ['toString', 3, null],
  ])('%s from row %d leads to %s', (key, row, to) => {
    expect(nextRow(key, row, 99, 10)).toBe(to);
  });
});
