import { describe, expect, it } from 'vitest';
import { EVERYTHING, may, roleWords, type Me } from './me.ts';

describe('what an administrator may do', () => {
  it('is what is said, and nothing else', () => {
    const me: Me = { ...EVERYTHING, areas: { sessions: ['view', 'control'] } };
    expect(may(me, 'sessions')).toBe(true);
    expect(may(me, 'sessions', 'control')).toBe(true);
    expect(may(me, 'sessions', 'delete')).toBe(false);
    expect(may(me, 'hosts')).toBe(false);
  });

  it('names every role once', () => {
    const desk = { role: 'help_desk' as const, reach: {} };
    expect(roleWords({ ...EVERYTHING, roles: [desk, { role: 'viewer', reach: {} }, desk] })).toEqual(['help_desk', 'viewer']);
  });
});
