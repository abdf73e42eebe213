import { describe, expect, it } from 'vitest';
import { isWished } from './arrival.ts';

const origin = 'https://portal.example';

describe('a session page opens by itself', () => {
  it.each<[string, string, boolean, boolean]>([
    ['from the portal', 'https://portal.example/?q=edit', false, true],
    ['after a reload of what was open', '', true, true],
    ['not from another site', 'https://evil.example/', false, false],
    ['not from a site whose name begins alike', 'https://portal.example.evil.example/', false, false],
    ['not from another port', 'https://portal.example:8443/', false, false],
    ['not without TLS', 'http://portal.example/', false, false],
    ['not from a bookmark', '', false, false],
  ])('%s', (_name, referrer, wasOpen, expected) => {
    expect(isWished({ referrer, origin, wasOpen })).toBe(expected);
  });
});
