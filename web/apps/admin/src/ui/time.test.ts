import { describe, expect, it } from 'vitest';
import { ago, bandwidth, bytes, duration, millis } from './time.ts';

describe('times and amounts', () => {
  it('say how long ago and how long until', () => {
    const now = Date.parse('2026-01-02T12:00:00Z');
    expect(ago('2026-01-02T10:00:00Z', 'en', now)).toBe('2 hours ago');
    expect(ago('2026-01-03T12:00:00Z', 'de', now)).toBe('morgen');
    expect(ago('nonsense', 'en', now)).toBe('–');
  });

  it.each([[5, '5 s'], [60, '1 min'], [3700, '1 h 01 min'], [200_000, '2 d 7 h']] as const)('of %d s are %s', (secs, words) => {
    expect(duration(secs)).toBe(words);
  });

  it.each([[0, '0 B'], [1536, '2 KiB'], [25_276_502_016, '23.5 GiB']] as const)('%d bytes are %s', (count, words) => {
    expect(bytes(count, 'en')).toBe(words);
  });

  it.each([[0.4, 'en', '0.4 ms'], [23.44, 'de', '23,4 ms'], [840, 'en', '840 ms'], [1250, 'de', '1,25 s'], [63_040, 'en', '63 s']] as const)('%d ms in %s are %s', (count, language, words) => {
    expect(millis(count, language)).toBe(words);
  });

  it.each([[0, '0 kbit/s'], [640, '640 kbit/s'], [1250, '1.3 Mbit/s']] as const)('%d kbit/s are %s', (kbits, words) => {
    expect(bandwidth(kbits, 'en')).toBe(words);
  });
});
