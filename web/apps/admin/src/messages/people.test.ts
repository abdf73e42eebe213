import { describe, expect, it } from 'vitest';
import { calledOf, others } from './people.ts';

const colleague = (user: string, full_name = '') => ({ user, user_name: `the ${user}`, full_name, sessions: [user] });

describe('who else is here', () => {
  it('is everybody but oneself', () => {
    expect(others([colleague('me'), colleague('anna')], 'me').map(({ user }) => user)).toEqual(['anna']);
  });

  it('is everybody for a token', () => {
    expect(others([colleague('ben')], undefined)).toHaveLength(1);
  });

  it('is called by name, and by what tells them apart', () => {
    expect(calledOf(colleague('ben'))).toBe('the ben');
    expect(calledOf(colleague('ben', 'Ben B'))).toBe('Ben B (the ben)');
  });
});
