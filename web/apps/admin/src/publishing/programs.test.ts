import { describe, expect, it } from 'vitest';
import { freeName, rulesFor } from './programs.ts';

describe('publishing a program', () => {
  it('lets everybody see it when no group is chosen, and only these otherwise', () => {
    const choice = { pool: 'p', folder: null, ruleName: 'r' };
    expect(rulesFor({ ...choice, groups: [] })).toEqual({ otherwise: 'allow', rules: [] });
    expect(rulesFor({ ...choice, groups: ['g'] })).toEqual({
      otherwise: 'deny',
      rules: [{ name: 'r', effect: 'allow', criteria: [{ type: 'group', objects: ['g'], negated: false }] }],
    });
  });

  it('finds a name that is not taken', () => {
    expect(freeName('Editor', new Set())).toBe('Editor');
    expect(freeName('Editor', new Set(['editor', 'editor 2']))).toBe('Editor 3');
  });
});
