/**
 * Who edits what at the moment. It locks nothing: revisions see to it that no change is lost; this lets two people
 * at one object know of each other before that.
 */
import { MANAGEMENT, call, get, type Editing, type EditingList, type Editor, type Kind } from '@oriel/api/management';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { renewed } from '../live/patch.ts';
import { queries } from '../queries.ts';
import { useMe } from '../sign-in/use-may.ts';

/** A lease lasts a minute: two renewals may be lost. */
const RENEW_MS = 20_000;

export const editing = queryOptions({
  queryKey: ['editing'] as const,
  queryFn: async ({ signal }) => (await get<EditingList>('/editing', {}, signal)).items,
  staleTime: Infinity,
});

/** Who edits an object now; null: nobody any more. */
export function onEditing(id: string, now: Editing | null): void {
  queries.setQueryData(editing.queryKey, (all) => renewed(all, id, now));
}

/** Who else edits an object, whoever began first before the others. */
export function useEditors(kind: string, id: string): Editor[] {
  const me = useMe();
  const all = useQuery(editing).data ?? [];
  const found = all.find((each) => each.kind === kind && each.id === id)?.by ?? [];
  return found.filter(({ session }) => !session || session !== me.session?.id);
}

/** Says, for as long as the form is open, that it is edited here. That it cannot be said keeps nobody from editing. */
export function useLease(kind: string, id: string): void {
  useEffect(() => {
    const body = { kind: kind as Kind, id };
    // Renewing goes on by itself: it keeps nobody signed in.
    const say = () => void call<Editing>('POST', '/editing', { body, background: true }).then((now) => onEditing(id, now), () => {});
    say();
    const timer = window.setInterval(say, RENEW_MS);
    const leave = () => void fetch(`${MANAGEMENT}/editing`, {
      method: 'DELETE', keepalive: true, credentials: 'same-origin', body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', 'x-oriel-request': 'background' },
    }).catch(() => {});
    window.addEventListener('pagehide', leave);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, [kind, id]);
}
