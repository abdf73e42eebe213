import { afterEach, describe, expect, it, vi } from 'vitest';
import { Refusal, addressOf, call } from './management.ts';

afterEach(() => vi.unstubAllGlobals());

describe('an address', () => {
  it('leaves out what is not asked', () => {
    expect(addressOf('/hosts', { name: 'a&b', after: null, sort: '', limit: 5 })).toBe('/api/v1/hosts?name=a%26b&limit=5');
  });
});

describe('a call', () => {
  it('marks changes as the portal’s own, and says what they are based on', async () => {
    const answer = vi.fn(async (_address: string, _init: RequestInit) => new Response(null, { status: 204 }));
    vi.stubGlobal('fetch', answer);
    await call('PUT', '/hosts/1', { body: { name: 'a' }, revision: 7 });
    await call('GET', '/hosts');
    expect(answer.mock.calls[0]?.[0]).toBe('/api/v1/hosts/1?revision=7');
    expect(answer.mock.calls[0]?.[1]?.headers).toMatchObject({ 'x-oriel-request': 'portal', 'content-type': 'application/json' });
    expect(answer.mock.calls[1]?.[1]?.headers).toMatchObject({ 'x-oriel-request': 'background' });
  });

  it('keeps what a refusal says of the fields that others changed', async () => {
    const changes = [{ field: 'name', before: 'a', after: 'b', changed_by: 'x', changed_at: '2026-01-01T00:00:00Z' }];
    const problem = { code: 'stale', status: 412, title: 'Changed meanwhile', detail: 'd', changes, revision: 9, changed_by: 'x' };
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify(problem), { status: 412 }));
    const refusal = await call('PUT', '/hosts/1', {}).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ code: 'stale', message: 'd', changes, revision: 9, changedBy: 'x' });
  });
});
