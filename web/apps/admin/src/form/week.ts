/** Hours of the week as a grid of whole hours, and back. */
import type { Day, Hours } from '@oriel/api/management';

export const DAYS: readonly Day[] = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
export const HOURS = 24;

/** By day and hour: whether it is open. */
export type Week = boolean[][];

const hourOf = (time: string): number => Number(time.slice(0, 2));
const isWhole = (time: string): boolean => /^\d\d:00(:00(\.0+)?)?$/.test(time);

export const emptyWeek = (): Week => DAYS.map(() => Array<boolean>(HOURS).fill(false));

/** null: there are times between the full hours, which a grid cannot show. */
export function weekOf(open: readonly Hours[]): Week | null {
  if (open.some(({ from, to }) => !isWhole(from) || (to != null && !isWhole(to)))) return null;
  const week = emptyWeek();
  for (const { days, from, to } of open) {
    const start = hourOf(from);
    const end = to == null ? HOURS : hourOf(to);
    // Not after its beginning: it ends on the next day.
    const length = end > start ? end - start : HOURS - start + end;
    for (const day of days) {
      for (let hour = start; hour < start + length; hour++) {
        const row = week[(DAYS.indexOf(day) + Math.floor(hour / HOURS)) % DAYS.length];
        if (row) row[hour % HOURS] = true;
      }
    }
  }
  return week;
}

const time = (hour: number): string => `${String(hour).padStart(2, '0')}:00:00`;

/** As few parts as there are different ones: days with the same hours are said together. */
export function hoursOf(week: Week): Hours[] {
  const parts = new Map<string, Hours>();
  DAYS.forEach((day, index) => {
    const row = week[index] ?? [];
    for (let from = 0; from < HOURS; from++) {
      if (!row[from] || row[from - 1]) continue;
      let to = from;
      while (to < HOURS && row[to]) to++;
      const key = `${from}-${to}`;
      const part = parts.get(key) ?? { days: [], from: time(from), to: to === HOURS ? null : time(to) };
      part.days.push(day);
      parts.set(key, part);
    }
  });
  return [...parts.values()];
}
