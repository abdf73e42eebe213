/** What refers to an object: which kinds can be referred to, and what the broker says of one. */
import { get, type Referrers } from '@oriel/api/management';
import { queryOptions } from '@tanstack/react-query';
import { FORMS } from '../form/fields.ts';
import { pluralOf } from '../kinds.ts';

function linked(form: unknown): string[] {
  if (typeof form !== 'object' || form === null) return [];
  const own = 'is' in form && form.is === 'link' && 'kind' in form && typeof form.kind === 'string' ? [form.kind] : [];
  return [...own, ...Object.values(form).flatMap(linked)];
}

/** Objects may belong to a site, whatever their settings say. */
const REFERRED = new Set(['site', ...linked(FORMS)]);

export const isReferred = (kind: string): boolean => REFERRED.has(kind);

/** The first of those that refer to an object, and how many there are. */
export const references = (kind: string, id: string, limit: number) =>
  queryOptions({
    queryKey: ['references', kind, id, limit] as const,
    queryFn: ({ signal }) => get<Referrers>(`/${pluralOf(kind)}/${encodeURIComponent(id)}/references`, { count: true, limit }, signal),
    staleTime: 0,
  });
