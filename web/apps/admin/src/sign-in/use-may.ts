import type { Area } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { signedIn } from '../queries.ts';
import { may, type Me, type Verb } from './me.ts';

const NOBODY: Me = { name: '', root: false, roles: [], areas: {}, totp: false, recovery_codes: 0, second_factor_needed: false };

export const useMe = (): Me => useQuery(signedIn).data ?? NOBODY;

/** Whether who is signed in may do this; what they may not view is not shown. */
export function useMay(): (area: Area, verb?: Verb) => boolean {
  const me = useMe();
  return (area, verb = 'view') => may(me, area, verb);
}
