import { describe, expect, it } from 'vitest';
import { found, patched, patchedAll, sampled } from './patch.ts';

const list = { pages: [{ items: [{ id: 'a', n: 1 }, { id: 'b', n: 1 }] }, { items: [{ id: 'c', n: 1 }] }], pageParams: [null, 'x'] };

describe('a list that is shown', () => {
  it('takes a row as it is now, in its place', () => {
    expect(patched(list, 'c', { id: 'c', n: 2 }).pages.map((page) => page.items)).toEqual([list.pages[0]?.items, [{ id: 'c', n: 2 }]]);
  });

  it('loses a row that is gone', () => {
    expect(patched(list, 'a', null).pages[0]?.items).toEqual([{ id: 'b', n: 1 }]);
  });

  it('is the same list when it has no such row', () => {
    expect(patched(list, 'z', { id: 'z', n: 1 })).toBe(list);
    const all = [{ id: 'a', n: 1 }];
    expect(patchedAll(all, 'z', { id: 'z', n: 1 })).toBe(all);
  });

  it('is found and taken also where the list was loaded whole', () => {
    const all = [{ id: 'a', n: 1 }, { id: 'b', n: 1 }];
    expect(patchedAll(all, 'b', { id: 'b', n: 2 })).toEqual([{ id: 'a', n: 1 }, { id: 'b', n: 2 }]);
    expect(patchedAll(all, 'a', null)).toEqual([{ id: 'b', n: 1 }]);
    expect([found(all, 'b'), found(list, 'c'), found(list, 'z')]).toEqual([{ id: 'b', n: 1 }, { id: 'c', n: 1 }, undefined]);
  });
});

describe('samples', () => {
  it('are the newest, as many as are kept', () => {
    expect(sampled([], 1, 3)).toEqual([1]);
    expect(sampled([1, 2, 3], 4, 3)).toEqual([2, 3, 4]);
  });
});
