import type { Resource } from '@oriel/api';
import { describe, expect, it } from 'vitest';
import { contentsOf, countIn, favouritesOf, pathTo, recentOf, search } from './catalogue.ts';

const make = (id: string, facts: Partial<Resource> = {}): Resource => ({
  id,
  name: id,
  description: '',
  kind: 'application',
  folder: null,
  order: 0,
  icon_url: null,
  status: 'enabled',
  maintenance_message: null,
  url: null,
  start_at_sign_in: false,
  ...facts,
});

const farm = [
  make('Office', { kind: 'folder', order: 5 }),
  make('Drawing', { kind: 'folder', folder: 'Office' }),
  make('Terminal', { order: 1 }),
  make('Editor', { folder: 'Office', description: 'Schreiben für alle' }),
  make('Paint', { folder: 'Drawing' }),
  make('Lost', { folder: 'hidden' }),
];
const ids = (list: Resource[]) => list.map((each) => each.id);

describe('the catalogue', () => {
  it('shows folders first, and what has lost its folder at the top', () => {
    expect(ids(contentsOf(farm, null))).toEqual(['Office', 'Lost', 'Terminal']);
    expect(ids(contentsOf(farm, 'Office'))).toEqual(['Drawing', 'Editor']);
  });

  it('knows the way to a folder', () => {
    expect(ids(pathTo(farm, 'Drawing'))).toEqual(['Office', 'Drawing']);
    expect(pathTo(farm, 'nowhere')).toEqual([]);
  });

  it('does not run in circles', () => {
    const circle = [make('a', { kind: 'folder', folder: 'b' }), make('b', { kind: 'folder', folder: 'a' })];
    expect(ids(pathTo(circle, 'a'))).toEqual(['b', 'a']);
  });

  it('counts at any depth', () => {
    expect(countIn(farm, 'Office')).toBe(2);
  });

  it.each([
    ['pai', ['Paint']],
    ['fur alle', ['Editor']],
    ['draw', ['Paint']],
    ['office e', ['Editor', 'Paint']],
    ['  ', []],
    ['nothing like it', []],
  ])('finds for %j', (query, found) => {
    expect(ids(search(farm, query))).toEqual(found);
  });

  it('shows the latest first, without favourites and what is gone', () => {
    const list = {
      resources: farm,
      favourites: ['Paint', 'gone'],
      recent: [
        { id: 'Terminal', at: '2026-01-01T00:00:00Z' },
        { id: 'Editor', at: '2026-01-02T00:00:00Z' },
        { id: 'Paint', at: '2026-01-03T00:00:00Z' },
        { id: 'gone', at: '2026-01-04T00:00:00Z' },
      ],
    };
    expect(ids(favouritesOf(list))).toEqual(['Paint']);
    expect(ids(recentOf(list))).toEqual(['Editor', 'Terminal']);
  });
});
