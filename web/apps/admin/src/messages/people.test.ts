import type { AdministratorSession } from '@oriel/api/management';
import { describe, expect, it } from 'vitest';
import { others } from './people.ts';

const session = (id: string, user: string): AdministratorSession => ({
  id, user, user_name: `the ${user}`, browser: '', since: '2026-01-01T00:00:00Z', active_at: '2026-01-01T00:00:00Z', own: id === 'here',
});

describe('who else is here', () => {
  it('is everybody but oneself, each once, with all their sign-ins', () => {
    const all = [session('here', 'me'), session('1', 'ben'), session('2', 'anna'), session('3', 'ben'), session('elsewhere', 'me')];
    expect(others(all, 'me')).toEqual([
      { user: 'anna', name: 'the anna', sessions: ['2'] },
      { user: 'ben', name: 'the ben', sessions: ['1', '3'] },
    ]);
  });

  it('is everybody for a token', () => {
    expect(others([session('1', 'ben')], undefined)).toHaveLength(1);
  });
});
