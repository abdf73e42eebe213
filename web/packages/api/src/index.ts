export { api, BASE } from './client.ts';
export { ApiProblem, readProblem, unreachable } from './problem.ts';
export type * from './types.ts';
