import { describe, expect, it } from 'vitest';
import { EVERYTHING, may, roleWord } from './me.ts';

describe('what an administrator may do', () => {
  it('is what is said, and nothing else', () => {
    const me = { ...EVERYTHING, areas: { sessions: ['view' as const, 'control' as const] } };
    expect(may(me, 'sessions')).toBe(true);
    expect(may(me, 'sessions', 'control')).toBe(true);
    expect(may(me, 'sessions', 'delete')).toBe(false);
    expect(may(me, 'hosts')).toBe(false);
  });

  it('has a word for every role', () => {
    expect(roleWord('root')).toBe('root');
    expect(roleWord({ help_desk: { users: [], groups: [] } })).toBe('help_desk');
  });
});
