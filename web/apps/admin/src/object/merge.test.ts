import { describe, expect, it } from 'vitest';
import { contests, merged } from './merge.ts';

const base = { name: 'a', site: null, spec: { x: 1, y: 1, z: 1 } };
const mine = { name: 'a', site: null, spec: { x: 2, y: 5, z: 1 } };
const theirs = { name: 'b', site: null, spec: { x: 3, y: 1, z: 9 } };

describe('two versions of one object', () => {
  it('dispute only what both changed differently', () => {
    const told = contests(base, mine, theirs).map(({ field, disputed }) => [field, disputed]);
    expect(Object.fromEntries(told)).toEqual({ 'spec.x': true, 'spec.y': false, name: false, 'spec.z': false });
  });

  it('become one: theirs, mine, and of what is disputed the one that was chosen', () => {
    expect(merged(base, mine, theirs, new Set())).toEqual({ name: 'b', site: null, spec: { x: 3, y: 5, z: 9 } });
    expect(merged(base, mine, theirs, new Set(['spec.x']))).toEqual({ name: 'b', site: null, spec: { x: 2, y: 5, z: 9 } });
  });

  it('dispute nothing when both did the same', () => {
    expect(contests(base, mine, mine)).toEqual([]);
  });
});
