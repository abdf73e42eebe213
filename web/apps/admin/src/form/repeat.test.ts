import { describe, expect, it } from 'vitest';
import { readRepeat, writeRepeat } from './repeat.ts';

describe('a rule of repetition', () => {
  it.each([
    [null, { every: 'once' }],
    ['FREQ=DAILY', { every: 'day', interval: 1 }],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU', { every: 'week', interval: 2, days: ['monday', 'sunday'] }],
    ['FREQ=MONTHLY;BYMONTHDAY=15', { every: 'month', interval: 1, day: 15 }],
    ['FREQ=MONTHLY;BYDAY=2TU', { every: 'other', rule: 'FREQ=MONTHLY;BYDAY=2TU' }],
    ['FREQ=DAILY;COUNT=3', { every: 'other', rule: 'FREQ=DAILY;COUNT=3' }],
  ])('%s is read and written as it was', (rule, repeat) => {
    expect(readRepeat(rule)).toEqual(repeat);
    expect(writeRepeat(readRepeat(rule))).toBe(rule);
  });
});
