/** How far a new farm has come: read from the farm itself, so that anybody can go on anywhere. */
import { get, type Entries, type FarmStatus, type GatewayView, type ResourceView } from '@oriel/api/management';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { usePreferences } from '../preferences.ts';
import { status, type Page, type Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';

/** How often is looked while somebody waits. */
export const LOOK_EVERY_MS = 2_000;
/** A farm with more programs has started long ago. */
const PROGRAMS = 100;

export const STEPS = ['gateway', 'host', 'programs', 'people', 'open'] as const;
export type Step = (typeof STEPS)[number];

/** Programs that are published, as far as a new farm has any. */
export const programs = queryOptions({
  queryKey: ['list', 'resources', 'start'] as const,
  queryFn: async ({ signal }) => (await get<Page<ResourceView>>('/resources', { filter: 'spec.target.kind:application', limit: PROGRAMS }, signal)).items,
});

export const groups = queryOptions({
  queryKey: ['list', 'groups', 'start'] as const,
  queryFn: async ({ signal }) => (await get<Page<Shown>>('/groups', { limit: 1 }, signal)).items,
});

export const gateways = queryOptions({
  queryKey: ['list', 'gateways', 'start'] as const,
  queryFn: async ({ signal }) => (await get<Page<GatewayView>>('/gateways', { limit: PROGRAMS }, signal)).items,
});

/** Whether anybody has ever opened anything, as far as the log goes back. */
const opened = queryOptions({
  queryKey: ['entries', 'launched'] as const,
  queryFn: async ({ signal }) => (await get<Entries>('/audit', { code: 'session.launched', limit: 1 }, signal)).items.length > 0,
});

/** Published, and nobody sees it yet. */
export const isForNobody = ({ spec: { rules } }: ResourceView): boolean => rules?.otherwise === 'deny' && (rules.rules ?? []).length === 0;

export function stepsDone(farm: FarmStatus, published: readonly ResourceView[], hasGroup: boolean, isOpened: boolean): Record<Step, boolean> {
  return {
    gateway: farm.gateways.reachable > 0,
    host: farm.hosts.reachable > 0,
    programs: published.length > 0,
    people: hasGroup && published.some((each) => !isForNobody(each)),
    open: isOpened,
  };
}

/** Who may take all of the steps. */
export function useMayStart(): boolean {
  const may = useMay();
  return may('infrastructure', 'add') && may('publishing', 'add') && may('directory', 'add');
}

/** null: not known yet. `every` has the farm looked at again and again. */
export function useProgress(every: number | false): Record<Step, boolean> | null {
  const may = useMay();
  const looked = { refetchInterval: every };
  const farm = useQuery({ ...status, ...(every === false ? {} : looked) });
  const published = useQuery({ ...programs, ...looked });
  const anyGroup = useQuery({ ...groups, ...looked });
  const launched = useQuery({ ...opened, ...looked, enabled: may('audit') });
  if (!farm.data || !published.data || !anyGroup.data || (may('audit') && launched.data === undefined)) return null;
  return stepsDone(farm.data, published.data, anyGroup.data.length > 0, launched.data === true || farm.data.sessions.total > 0);
}

export const useIsDismissed = (): boolean => usePreferences().isStarted;
