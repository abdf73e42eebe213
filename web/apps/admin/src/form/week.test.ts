import { describe, expect, it } from 'vitest';
import { hoursOf, weekOf } from './week.ts';

const office = { days: ['monday' as const, 'friday' as const], from: '08:00:00', to: '18:00:00' };

describe('the week', () => {
  it('comes back as it went in', () => {
    const week = weekOf([office, { days: ['saturday'], from: '00:00:00', to: null }]);
    expect(week?.[0]?.[7]).toBe(false);
    expect(week?.[0]?.[8]).toBe(true);
    expect(week?.[0]?.[18]).toBe(false);
    expect(hoursOf(week ?? [])).toEqual([office, { days: ['saturday'], from: '00:00:00', to: null }]);
  });

  it('takes a night over to the next day, from Sunday to Monday too', () => {
    const week = weekOf([{ days: ['sunday'], from: '22:00:00', to: '06:00:00' }]);
    expect(week?.[6]?.slice(22)).toEqual([true, true]);
    expect(week?.[0]?.slice(0, 7)).toEqual([true, true, true, true, true, true, false]);
  });

  it('is no grid when there are times between the hours', () => {
    expect(weekOf([{ ...office, from: '08:30:00' }])).toBeNull();
  });
});
