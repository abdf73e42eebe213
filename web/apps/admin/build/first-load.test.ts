import { describe, expect, it } from 'vitest';
import { firstChunks, firstLoad } from './first-load.ts';

const chunk = (fileName: string, imports: string[], code = '', isEntry = false) => ({ type: 'chunk', fileName, imports, code, isEntry });

describe('the first load', () => {
  it('is the entry and all that it imports, and not what is loaded later', () => {
    const bundle = { a: chunk('a', ['b'], '', true), b: chunk('b', ['c']), c: chunk('c', ['b']), later: chunk('later', ['b']) };
    expect([...firstChunks(bundle)].map(({ fileName }) => fileName)).toEqual(['a', 'b', 'c']);
  });

  it('fails the build when it is too large', () => {
    // Letters without a pattern, so that they do not compress.
    let state = 1;
    const next = () => String.fromCharCode(33 + ((state = (state * 48271) % 2147483647) % 90));
    const random = Array.from({ length: 500_000 }, next).join('');
    expect(() => firstLoad().generateBundle({}, { a: chunk('a', [], random, true) })).toThrow(/300 KiB is the most/);
    expect(() => firstLoad().generateBundle({}, { a: chunk('a', [], 'small', true) })).not.toThrow();
  });
});
