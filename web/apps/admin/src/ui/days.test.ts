import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayOf, monthOf, spanOf } from './days.ts';

const before = process.env.TZ;

describe('months of whoever looks', () => {
  beforeAll(() => { process.env.TZ = 'Europe/Berlin'; });
  afterAll(() => { process.env.TZ = before; });

  it('begin and end at midnight, also where clocks change', () => {
    const { from, until } = spanOf('2027-03-01');
    expect([from.toISOString(), until.toISOString()]).toEqual(['2027-02-28T23:00:00.000Z', '2027-03-31T22:00:00.000Z']);
    expect((until.getTime() - from.getTime()) / 3_600_000).toBe(31 * 24 - 1);
    expect(spanOf('2026-12-01').until.toISOString()).toBe('2026-12-31T23:00:00.000Z');
  });

  it('have days by their own clock', () => {
    expect(dayOf(new Date('2027-03-28T22:30:00Z'))).toBe('2027-03-29');
    expect(dayOf(new Date('2027-03-27T22:30:00Z'))).toBe('2027-03-27');
    expect(monthOf('2027-03-29')).toBe('2027-03-01');
  });
});
