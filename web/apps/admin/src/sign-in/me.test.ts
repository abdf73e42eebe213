import { describe, expect, it } from 'vitest';
import { may, nameOf, type Me } from './me.ts';

const me: Me = { name: 'user anna', root: false, roles: [], areas: { sessions: ['view', 'control'] }, user: { id: 'u', name: 'anna', full_name: '' }, totp: false, recovery_codes: 0, second_factor_needed: false };

describe('who is signed in', () => {
  it('may do what is said, and nothing else', () => {
    expect(may(me, 'sessions')).toBe(true);
    expect(may(me, 'sessions', 'control')).toBe(true);
    expect(may(me, 'sessions', 'delete')).toBe(false);
    expect(may(me, 'hosts')).toBe(false);
  });

  it('is called by the best name that there is', () => {
    expect(nameOf(me)).toBe('anna');
    expect(nameOf({ ...me, user: null, name: 'token admin' })).toBe('token admin');
  });
});
