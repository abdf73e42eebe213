/** Who is signed in, and what they may do. */
import type { Area, Me as Told } from '@oriel/api/management';

export type Verb = 'view' | 'modify' | 'add' | 'delete' | 'control';

/** What the broker tells; `totp` by one that knows second factors. */
export type Me = Told & { totp?: boolean };

const AREAS: Area[] = ['infrastructure', 'hosts', 'publishing', 'directory', 'sessions', 'administrators', 'audit'];
const VERBS: Verb[] = ['view', 'modify', 'add', 'delete', 'control'];

/** Root, as tests and pages in development have it. */
export const EVERYTHING: Me = {
  name: '',
  user: null,
  token: null,
  root: true,
  roles: [{ role: 'root', reach: {} }],
  areas: Object.fromEntries(AREAS.map((area) => [area, VERBS])),
  session: null,
};

export const may = (me: Me, area: Area, verb: Verb = 'view'): boolean => me.areas[area]?.includes(verb) ?? false;

/** The words for somebody's roles, under which their names stand in the catalogue; each once. */
export const roleWords = (me: Me): string[] => [...new Set(me.roles.map(({ role }) => role))];
