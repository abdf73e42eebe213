/** Times and amounts in the administrator's words. */

/** How long ago, or how long until: "2 hours ago", "in 5 minutes". */
export function ago(when: string, language: string, now = Date.now()): string {
  const secs = (Date.parse(when) - now) / 1000;
  if (Number.isNaN(secs)) return '–';
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, length] of [['day', 86_400], ['hour', 3_600], ['minute', 60]] as const) {
    if (Math.abs(secs) >= length) return words.format(Math.trunc(secs / length), unit);
  }
  return words.format(Math.trunc(secs), 'second');
}

/** The moment itself, to the minute. */
export function moment(when: string, language: string): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return '–';
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** What a field for a day and a time says, in the administrator's own zone; nothing when it is empty. */
export const momentOf = (local: string): string | undefined => (local === '' || Number.isNaN(Date.parse(local)) ? undefined : new Date(local).toISOString());

/** A length of time: "3 h 05 min". */
export function duration(secs: number): string {
  const minutes = Math.floor(secs / 60);
  if (minutes < 1) return `${Math.max(0, Math.floor(secs))} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(count: number, language: string): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count <= 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const words = new Intl.NumberFormat(language, { maximumFractionDigits: power > 1 ? 1 : 0 });
  return `${words.format(count / 1024 ** power)} ${units[power]}`;
}

export const percent = (share: number, language: string): string =>
  new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share);
