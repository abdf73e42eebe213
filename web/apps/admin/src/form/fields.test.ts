import { describe, expect, it } from 'vitest';
import { alongPath, differences, formOf, initial, put } from './fields.ts';

describe('a value', () => {
  it('is put in at a path, and the rest stays', () => {
    const spec = { a: 1, settings: { x: 1, y: 2 } };
    expect(put(spec, ['settings', 'x'], 5)).toEqual({ a: 1, settings: { x: 5, y: 2 } });
    expect(put(spec, ['settings', 'x'], undefined)).toEqual({ a: 1, settings: { y: 2 } });
    expect(put({}, ['settings', 'x'], 5)).toEqual({ settings: { x: 5 } });
    expect(spec.settings.x).toBe(1);
  });
});

describe('differences', () => {
  it('are told field by field', () => {
    const before = { name: 'a', spec: { on: true, settings: { x: 1 }, list: [1, 2] } };
    const after = { name: 'a', spec: { on: false, settings: { x: 1, y: 3 }, list: [2, 1] } };
    expect(differences(before, after)).toEqual([
      { field: 'spec.on', before: true, after: false },
      { field: 'spec.settings.y', before: null, after: 3 },
      { field: 'spec.list', before: [1, 2], after: [2, 1] },
    ]);
  });

  it('are none between absent and null, and in the order of fields', () => {
    expect(differences({ a: null, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 } })).toEqual([]);
  });
});

describe('the fields of a kind', () => {
  it('are found along a path, through what a value is', () => {
    const target = { target: { kind: 'application', program: 'x' } };
    expect(alongPath('resource', ['target', 'program'], target).map(({ schema, name }) => [schema, name])).toEqual([
      ['Resource', 'target'],
      ['Target', 'program'],
    ]);
    expect(alongPath('host', ['settings', 'max_sessions'])[1]).toMatchObject({ schema: 'HostSettings', field: { is: 'number' } });
    expect(alongPath('host', ['no_such_field'])).toEqual([]);
  });

  it('are found in the entries of lists and in each of several alternatives', () => {
    expect(alongPath('resource', ['rules', 'rules', 'criteria', 'objects']).map(({ name }) => name)).toEqual(['rules', 'rules', 'criteria', 'objects']);
    expect(alongPath('administrator', ['who', 'group']).map(({ schema, name }) => [schema, name])).toEqual([['Administrator', 'who'], ['Who', 'group']]);
  });

  it('begin with what must be said and what holds otherwise', () => {
    expect(initial(formOf('logon_hours'))).toMatchObject({ open: [], enabled: true, clock: { of: 'user', otherwise: 'UTC' } });
    expect(initial(formOf('schedule'))).toMatchObject({ action: { do: 'disable' }, target: { of: 'pools', pools: [] } });
  });
});
