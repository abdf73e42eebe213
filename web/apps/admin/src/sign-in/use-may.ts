import type { Area } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { signedIn } from '../queries.ts';
import { EVERYTHING, may, type Me, type Verb } from './me.ts';

const NOBODY: Me = { ...EVERYTHING, areas: {} };

export const useMe = (): Me => useQuery(signedIn).data ?? NOBODY;

/** Whether who is signed in may do this; what they may not view is not shown. */
export function useMay(): (area: Area, verb?: Verb) => boolean {
  const me = useMe();
  return (area, verb = 'view') => may(me, area, verb);
}
