/** How a schedule repeats: the common rules of RFC 5545 3.3.10 as a form has them. Others stay as they are written. */
import { DAYS } from './week.ts';
import type { Day } from '@oriel/api/management';

export type Repeat =
  | { every: 'once' }
  | { every: 'day'; interval: number }
  | { every: 'week'; interval: number; days: Day[] }
  | { every: 'month'; interval: number; day: number }
  | { every: 'other'; rule: string };

const CODES = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

export function readRepeat(rule: string | null | undefined): Repeat {
  if (rule === null || rule === undefined || rule === '') return { every: 'once' };
  const parts = new Map(rule.toUpperCase().split(';').map((part) => part.split('=', 2) as [string, string]));
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const known = new Set(['FREQ', 'INTERVAL', 'BYDAY', 'BYMONTHDAY']);
  const other: Repeat = { every: 'other', rule };
  if (!Number.isInteger(interval) || interval < 1 || [...parts.keys()].some((name) => !known.has(name))) return other;
  const byDay = parts.get('BYDAY')?.split(',') ?? [];
  const byMonthDay = parts.get('BYMONTHDAY');
  switch (parts.get('FREQ')) {
    case 'DAILY':
      return byDay.length > 0 || byMonthDay !== undefined ? other : { every: 'day', interval };
    case 'WEEKLY': {
      if (byMonthDay !== undefined || byDay.some((code) => !CODES.includes(code))) return other;
      return { every: 'week', interval, days: DAYS.filter((_, index) => byDay.includes(CODES[index] ?? '')) };
    }
    case 'MONTHLY': {
      const day = Number(byMonthDay);
      return byDay.length > 0 || !Number.isInteger(day) || day < 1 || day > 31 ? other : { every: 'month', interval, day };
    }
    default:
      return other;
  }
}

export function writeRepeat(repeat: Repeat): string | null {
  if (repeat.every === 'once') return null;
  if (repeat.every === 'other') return repeat.rule;
  const interval = repeat.interval === 1 ? '' : `;INTERVAL=${repeat.interval}`;
  switch (repeat.every) {
    case 'day':
      return `FREQ=DAILY${interval}`;
    case 'week': {
      const days = repeat.days.map((day) => CODES[DAYS.indexOf(day)]).join(',');
      return `FREQ=WEEKLY${interval}${days === '' ? '' : `;BYDAY=${days}`}`;
    }
    case 'month':
      return `FREQ=MONTHLY${interval};BYMONTHDAY=${repeat.day}`;
  }
}
