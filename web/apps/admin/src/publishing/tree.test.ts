import type { ResourceView } from '@oriel/api/management';
import { describe, expect, it } from 'vitest';
import { branchesOf, filtered, movedWith, placesAfter, placesInto, step } from './tree.ts';

const resource = (id: string, folder: string | null, order: number, kind = 'application'): ResourceView =>
  ({ id, name: id, revision: 1, changed_at: '', changed_by: '', spec: { folder, order, target: { kind, program: 'x' } } }) as unknown as ResourceView;

const all = [
  resource('office', null, 0, 'folder'), resource('tools', null, 1, 'folder'), resource('deep', 'office', 5, 'folder'),
  resource('a', 'office', 0), resource('b', 'office', 1), resource('c', null, 2), resource('lost', 'gone', 0),
];
const names = (branches: ReturnType<typeof branchesOf>): unknown[] => branches.map(({ resource: { id }, children }) => (children.length > 0 ? [id, names(children)] : id));

describe('the tree', () => {
  it('is in order, and what lies in a folder that is gone is at the top', () => {
    expect(names(branchesOf(all))).toEqual(['lost', ['office', ['a', 'b', 'deep']], 'tools', 'c']);
  });

  it('shows of a search what it finds, where that lies, and all of a folder that it finds', () => {
    expect(names(filtered(branchesOf(all), ' B '))).toEqual([['office', ['b']]]);
    expect(names(filtered(branchesOf(all), 'office'))).toEqual([['office', ['a', 'b', 'deep']]]);
    expect(filtered(branchesOf(all), 'nothing')).toEqual([]);
    expect(filtered(branchesOf(all), '')).toEqual(branchesOf(all));
  });
});

describe('a move', () => {
  it('gives places to those that change, and no others', () => {
    expect(placesAfter(all, { dragged: ['b'], target: 'a', position: 'before' })).toEqual([
      { id: 'b', folder: 'office', order: 0 }, { id: 'a', folder: 'office', order: 1 }, { id: 'deep', folder: 'office', order: 2 },
    ]);
  });

  it('into a folder comes last there', () => {
    expect(placesAfter(all, { dragged: ['c'], target: 'tools', position: 'inside' })).toEqual([{ id: 'c', folder: 'tools', order: 0 }]);
  });

  it('of a folder into itself, or into what is no folder, is none', () => {
    expect(placesAfter(all, { dragged: ['office'], target: 'deep', position: 'inside' })).toEqual([]);
    expect(placesAfter(all, { dragged: ['a'], target: 'b', position: 'inside' })).toEqual([]);
  });

  it('of several keeps their order, and what lies in a folder among them goes with it', () => {
    expect(placesAfter(all, { dragged: ['c', 'b', 'a'], target: 'tools', position: 'inside' })).toEqual([
      { id: 'a', folder: 'tools', order: 0 }, { id: 'b', folder: 'tools', order: 1 }, { id: 'c', folder: 'tools', order: 2 },
    ]);
    expect(placesAfter(all, { dragged: ['office', 'a'], target: 'tools', position: 'inside' })).toEqual([{ id: 'office', folder: 'tools', order: 0 }]);
    expect(placesAfter(all, { dragged: ['a', 'office'], target: 'deep', position: 'inside' })).toEqual([]);
    expect(placesAfter(all, { dragged: ['a', 'tools'], target: 'tools', position: 'after' })).toEqual([]);
  });

  it('into a folder or to the top leaves what is there where it is', () => {
    expect(placesInto(all, ['a', 'c'], 'tools')).toEqual([{ id: 'a', folder: 'tools', order: 0 }, { id: 'c', folder: 'tools', order: 1 }]);
    expect(placesInto(all, ['b', 'c'], null)).toEqual([{ id: 'b', folder: null, order: 3 }]);
    expect(placesInto(all, ['office'], 'deep')).toEqual([]);
  });

  it('takes all that are chosen along, unless the row is none of them', () => {
    expect(movedWith('a', ['a', 'b'])).toEqual(['a', 'b']);
    expect(movedWith('c', ['a', 'b'])).toEqual(['c']);
  });

  it('by one step ends at the ends', () => {
    expect(step(all, 'a', 1)).toEqual({ dragged: ['a'], target: 'b', position: 'after' });
    expect(step(all, 'a', -1)).toBeNull();
  });
});
