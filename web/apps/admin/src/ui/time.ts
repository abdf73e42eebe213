/** Times and amounts in the administrator's words. */

/** Making a formatter costs as much as a hundred uses of it, and lists have thousands of cells: one for each language. */
function perLanguage<Formatter>(make: (language: string) => Formatter): (language: string) => Formatter {
  const made = new Map<string, Formatter>();
  return (language) => {
    const known = made.get(language);
    if (known !== undefined) return known;
    const formatter = make(language);
    made.set(language, formatter);
    return formatter;
  };
}

const relative = perLanguage((language) => new Intl.RelativeTimeFormat(language, { numeric: 'auto' }));
const moments = perLanguage((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }));
const clocks = perLanguage((language) => new Intl.DateTimeFormat(language, { timeStyle: 'short' }));
const shares = perLanguage((language) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }));
/** By the most digits after the point. */
const numbers = [0, 1, 2].map((maximumFractionDigits) => perLanguage((language) => new Intl.NumberFormat(language, { maximumFractionDigits })));
const number = (value: number, digits: 0 | 1 | 2, language: string): string => numbers[digits]?.(language).format(value) ?? String(value);

/** How long ago, or how long until: "2 hours ago", "in 5 minutes". */
export function ago(when: string, language: string, now = Date.now()): string {
  const secs = (Date.parse(when) - now) / 1000;
  if (Number.isNaN(secs)) return '–';
  const words = relative(language);
  for (const [unit, length] of [['day', 86_400], ['hour', 3_600], ['minute', 60]] as const) {
    if (Math.abs(secs) >= length) return words.format(Math.trunc(secs / length), unit);
  }
  return words.format(Math.trunc(secs), 'second');
}

/** The moment itself, to the minute. */
export function moment(when: string, language: string): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return '–';
  return moments(language).format(date);
}

/** The time of day. */
export const clock = (when: string, language: string): string => clocks(language).format(new Date(when));

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

/** A short length of time: "840 ms", "1.3 s". */
export function millis(count: number, language: string): string {
  return count < 1000 ? `${number(count, count < 100 ? 1 : 0, language)} ms` : `${number(count / 1000, count < 10_000 ? 2 : 1, language)} s`;
}

/** "640 kbit/s", "1.2 Mbit/s". */
export function bandwidth(kbits: number, language: string): string {
  return kbits < 1000 ? `${number(kbits, 1, language)} kbit/s` : `${number(kbits / 1000, 1, language)} Mbit/s`;
}

export function bytes(count: number, language: string): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count <= 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  return `${number(count / 1024 ** power, power > 1 ? 1 : 0, language)} ${units[power]}`;
}

export const percent = (share: number, language: string): string => shares(language).format(share);
