import { describe, expect, it } from 'vitest';
import { most, points, rows } from './history.ts';

const sample = (minute: number, cpu: number, hosts = 1) => ({ at: `2026-01-01T08:${String(minute).padStart(2, '0')}:00Z`, hosts, cpu, memory: 0.5, active: minute, disconnected: 0 });

describe('load over the last hours', () => {
  it('ends with what is now, once', () => {
    const kept = [sample(0, 0.1), sample(1, 0.2), sample(2, 0.3)];
    expect(points(kept, sample(2, 0.9)).map(({ cpu }) => cpu)).toEqual([0.1, 0.2, 0.9]);
    expect(points(kept, undefined).map(({ cpu }) => cpu)).toEqual([0.1, 0.2, 0.3]);
  });

  it('is unknown while no host was there, which is not the same as idle', () => {
    const all = points([sample(0, 0, 0), sample(1, 0.4)], undefined);
    expect(all.map(({ cpu }) => cpu)).toEqual([null, 0.4]);
    expect(most(all, 'cpu')).toBe(0.4);
    expect(most(all.slice(0, 1), 'cpu')).toBeNull();
  });

  it('is told in a dozen rows, the newest first', () => {
    const all = points(Array.from({ length: 60 }, (_, minute) => sample(minute, 0)), undefined);
    const told = rows(all);
    expect(told).toHaveLength(12);
    expect(told[0]?.active).toBe(59);
    expect(told[1]?.active).toBe(54);
  });
});
