/** Days and months by the clock of whoever looks, written like 2026-12-01. */

const two = (number: number): string => String(number).padStart(2, '0');

export const dayOf = (moment: Date): string => `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;

/** The first day of a day's month. */
export const monthOf = (day: string): string => `${day.slice(0, 7)}-01`;

/** From the month's first midnight to the next one's: where clocks change it is an hour more or less. */
export function spanOf(month: string): { from: Date; until: Date } {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return { from: new Date(year, number - 1, 1), until: new Date(year, number, 1) };
}
