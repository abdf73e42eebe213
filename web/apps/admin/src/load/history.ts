/** Load over the last hours: what the broker has kept, and what is now. */
import { get, type Load, type LoadSample } from '@oriel/api/management';
import { queryOptions } from '@tanstack/react-query';

/** What can be looked at, in minutes. The broker keeps six hours. */
export const SPANS = [60, 360] as const;
export type Span = (typeof SPANS)[number];
/** Rows of the table that stands for a chart. */
const ROWS = 12;

/** One host's, a pool's, or that of all hosts that may be seen. */
export const history = (minutes: Span, host?: string, pool?: string) =>
  queryOptions({
    queryKey: ['load', 'history', minutes, host ?? null, pool ?? null] as const,
    queryFn: ({ signal }) => get<Load>('/load', { minutes, host, pool }, signal),
    // A sample comes every minute.
    staleTime: 60_000,
    refetchInterval: 60_000,
  });

/** As it is; events have it loaded anew. */
export const current = (host?: string, pool?: string) =>
  queryOptions({
    queryKey: ['load', 'now', host ?? null, pool ?? null] as const,
    queryFn: async ({ signal }) => (await get<Load>('/load', { minutes: 1, host, pool }, signal)).now,
  });

/** A moment as charts draw it: null where no host was there. */
export interface Point {
  at: string;
  cpu: number | null;
  memory: number | null;
  active: number;
  disconnected: number;
}

const pointOf = ({ at, hosts, cpu, memory, active, disconnected }: LoadSample): Point => ({
  at, cpu: hosts === 0 ? null : cpu, memory: hosts === 0 ? null : memory, active, disconnected,
});

/** The history and, at its end, what is now. */
export function points(kept: readonly LoadSample[], now: LoadSample | undefined): Point[] {
  const before = now === undefined ? kept : kept.filter(({ at }) => at < now.at);
  return [...before, ...(now === undefined ? [] : [now])].map(pointOf);
}

/** As many as people read in a table, the newest first and among them. */
export function rows(all: readonly Point[]): Point[] {
  const step = Math.max(1, Math.ceil(all.length / ROWS));
  return all.toReversed().filter((_, index) => index % step === 0);
}

/** The most of what was; null: nothing is known. */
export function most(all: readonly Point[], of: 'cpu' | 'memory'): number | null {
  const known = all.map((point) => point[of]).filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
