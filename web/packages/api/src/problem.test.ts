import { describe, expect, it } from 'vitest';
import { readProblem } from './problem.ts';

const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  new Response(body, { status, headers });

describe('a problem answer', () => {
  it('keeps the words of the broker', async () => {
    const problem = await readProblem(
      answer(503, '{"code":"no_host","detail":"All 3 hosts of pool Office are draining.","advice":"Try later."}'),
    );
    expect(problem).toMatchObject({
      status: 503,
      code: 'no_host',
      message: 'All 3 hosts of pool Office are draining.',
      advice: 'Try later.',
    });
  });

  it.each([
    [401, 'signed_out'],
    [404, 'not_found'],
    [429, 'busy'],
    [502, 'farm_starting'],
    [418, 'bad_request'],
    [500, 'internal'],
  ])('without a document of ours, %i is %s', async (status, code) => {
    expect((await readProblem(answer(status, '<html>'))).code).toBe(code);
  });

  it.each([
    ['7', 7],
    ['100000', 300],
    ['soon', null],
    ['-1', null],
  ])('reads retry-after %s as %s', async (header, secs) => {
    expect((await readProblem(answer(429, '{}', { 'retry-after': header }))).retryAfterSecs).toBe(secs);
  });

  it('drops mistakes that are not mistakes', async () => {
    const body = '{"code":"bad_request","detail":"m","errors":[{"field":"a","message":"b"},7,null]}';
    expect((await readProblem(answer(400, body))).mistakes).toEqual([{ field: 'a', message: 'b' }]);
  });
});
