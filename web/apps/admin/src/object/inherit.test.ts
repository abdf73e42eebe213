import { describe, expect, it } from 'vitest';
import { aboveOf, originOf } from './inherit.ts';

const host = {
  id: 'h', name: 'h', site: 's', revision: 1, changed_at: '', changed_by: '',
  spec: { pool: 'p', settings: { max_sessions: 5 } },
  origins: { max_sessions: 'host', accounts: 'pool', balanced: 'site', linger_logoff_secs: 'product' },
  effective: { max_sessions: 5, accounts: 'create', balanced: true, linger_logoff_secs: 0 },
};

describe('where a value comes from', () => {
  it.each([
    ['max_sessions', { level: 'host', own: true, value: 5, source: null }],
    ['accounts', { level: 'pool', own: false, value: 'create', source: { kind: 'pool', id: 'p', section: 'settings' } }],
    ['balanced', { level: 'site', own: false, value: true, source: { kind: 'site', id: 's', section: 'host_defaults' } }],
    ['linger_logoff_secs', { level: 'product', own: false, value: 0, source: null }],
  ])('of a host’s %s', (name, origin) => {
    expect(originOf('host', host, ['settings', name])).toEqual(origin);
  });

  it('is nothing to ask of fields that do not inherit', () => {
    expect(originOf('host', host, ['address'])).toBeNull();
    expect(originOf('user', { ...host, origins: undefined } as never, ['groups'])).toBeNull();
  });

  it('of a pool and a site is told by section', () => {
    const pool = { ...host, spec: {}, origins: { settings: { max_sessions: 'pool' } }, effective: { settings: { max_sessions: 9 } } };
    expect(originOf('pool', pool, ['settings', 'max_sessions'])).toMatchObject({ own: true, value: 9 });
    const site = { ...host, spec: { follows: { clients: 'x' } }, origins: { clients: 'followed_site' }, effective: { clients: { mode: 'any' } } };
    expect(originOf('site', site, ['clients', 'mode'])).toMatchObject({ own: false, value: 'any', source: { kind: 'site', id: 'x', section: 'clients' } });
  });

  it('above a host is its pool, above a pool its site, and above both nothing that is an object', () => {
    expect(aboveOf('host', host, ['settings', 'accounts'])).toEqual({ kind: 'pool', id: 'p', path: ['settings', 'accounts'] });
    expect(aboveOf('pool', { ...host, spec: {} }, ['balancing', 'by'])).toEqual({ kind: 'site', id: 's', path: ['balancing_defaults', 'by'] });
    expect(aboveOf('pool', { ...host, spec: {}, site: null }, ['balancing', 'by'])).toBeNull();
    expect(aboveOf('site', { ...host, spec: {} }, ['clients', 'mode'])).toBeNull();
  });
});
