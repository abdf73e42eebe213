import { describe, expect, it } from 'vitest';
import { patched, renewed, sampled } from './patch.ts';

const list = { pages: [{ items: [{ id: 'a', n: 1 }, { id: 'b', n: 1 }] }, { items: [{ id: 'c', n: 1 }] }], pageParams: [null, 'x'] };

describe('a list that is shown', () => {
  it('takes a row as it is now, in its place', () => {
    expect(patched(list, new Map([['c', { id: 'c', n: 2 }]])).pages.map((page) => page.items)).toEqual([list.pages[0]?.items, [{ id: 'c', n: 2 }]]);
  });

  it('loses a row that is gone, and takes all that changed at once', () => {
    const after = patched(list, new Map([['a', null], ['c', { id: 'c', n: 3 }]]));
    expect(after.pages.map((page) => page.items)).toEqual([[{ id: 'b', n: 1 }], [{ id: 'c', n: 3 }]]);
  });

  it('keeps what did not change as it is, so that it is not drawn again', () => {
    const after = patched(list, new Map([['a', { id: 'a', n: 2 }]]));
    expect(after.pages[0]?.items[1]).toBe(list.pages[0]?.items[1]);
    expect(after.pages[1]).toBe(list.pages[1]);
  });

  it('is the same list when it has no such row', () => {
    expect(patched(list, new Map([['z', { id: 'z', n: 1 }]]))).toBe(list);
  });
});

describe('a few things that are told of one by one', () => {
  it('end with the one that is new or has changed, and lose the one that is gone', () => {
    const rows = [{ id: 'a', n: 1 }, { id: 'b', n: 1 }];
    expect(renewed(rows, 'a', { id: 'a', n: 2 })).toEqual([{ id: 'b', n: 1 }, { id: 'a', n: 2 }]);
    expect(renewed(rows, 'a', null)).toEqual([{ id: 'b', n: 1 }]);
    expect(renewed(undefined, 'a', { id: 'a', n: 1 })).toEqual([{ id: 'a', n: 1 }]);
  });
});

describe('samples', () => {
  it('are the newest, as many as are kept', () => {
    expect(sampled([], 1, 3)).toEqual([1]);
    expect(sampled([1, 2, 3], 4, 3)).toEqual([2, 3, 4]);
  });
});
