/** How long ago, in the user's words: "2 hours ago". */
export function ago(when: string, language: string, now = Date.now()): string {
  const secs = Math.min(0, (Date.parse(when) - now) / 1000);
  if (Number.isNaN(secs)) return '–';
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, length] of [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const) {
    if (secs <= -length) return words.format(Math.ceil(secs / length), unit);
  }
  return words.format(Math.ceil(secs), 'second');
}

/** A time to come, in the user's words: the hour alone today, the day with it otherwise. */
export function at(when: string, language: string, now = Date.now()): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return '–';
  const isToday = date.toDateString() === new Date(now).toDateString();
  const words: Intl.DateTimeFormatOptions = isToday
    ? { timeStyle: 'short' }
    : { weekday: 'long', day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit' };
  return new Intl.DateTimeFormat(language, words).format(date);
}
