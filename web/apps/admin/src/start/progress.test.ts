import type { FarmStatus, ResourceView } from '@oriel/api/management';
import { describe, expect, it } from 'vitest';
import { STEPS, stepsDone } from './progress.ts';

const farm = (gateways: number, hosts: number) => ({ gateways: { total: 1, reachable: gateways, connections: 0 }, hosts: { total: 1, reachable: hosts, unhealthy: 0 } }) as unknown as FarmStatus;
const program = (rules: object) => ({ spec: { rules } }) as unknown as ResourceView;
const hidden = program({ otherwise: 'deny', rules: [] });
const seen = program({ otherwise: 'deny', rules: [{ name: 'x', effect: 'allow', criteria: [] }] });
const done = (...all: Parameters<typeof stepsDone>) => STEPS.filter((step) => stepsDone(...all)[step]);

describe('the first steps', () => {
  it('begin with nothing, and follow the farm', () => {
    expect(done(farm(0, 0), [], false, false)).toEqual([]);
    expect(done(farm(1, 0), [], false, false)).toEqual(['gateway']);
    expect(done(farm(1, 1), [hidden], true, false)).toEqual(['gateway', 'host', 'programs']);
    expect(done(farm(1, 1), [hidden, seen], true, false)).toEqual(['gateway', 'host', 'programs', 'people']);
    expect(done(farm(1, 1), [seen], true, true)).toEqual([...STEPS]);
  });
});
