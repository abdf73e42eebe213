import { describe, expect, it } from 'vitest';
import { runEach, type Outcome } from './run.ts';

describe('what is done with many rows', () => {
  it('is done with each, and a failure of one does not end the rest', async () => {
    const rows = Array.from({ length: 10 }, (_, index) => ({ id: String(index) }));
    const told = new Map<string, Outcome>();
    let running = 0;
    let most = 0;
    await runEach(
      rows,
      async ({ id }) => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        if (id === '3') throw new Error('no');
      },
      (id, outcome) => told.set(id, outcome),
    );
    expect(told.size).toBe(10);
    expect(told.get('3')).toEqual({ failed: new Error('no') });
    expect([...told.values()].filter((outcome) => outcome === 'done')).toHaveLength(9);
    expect(most).toBeLessThanOrEqual(4);
  });
});
