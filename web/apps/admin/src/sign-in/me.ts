/** Who is signed in, and what they may do. */
import type { Area } from '@oriel/api/management';

export type Verb = 'view' | 'modify' | 'add' | 'delete' | 'control';

export type Role =
  | 'root'
  | 'viewer'
  | { power: { sites?: string[]; without: string[] } }
  | { custom: { grants: unknown[] } }
  | { help_desk: { users: string[]; groups: string[] } };

export interface Me {
  administrator: string;
  user: { id: string; name: string; full_name: string } | null;
  role: Role;
  areas: Partial<Record<Area, Verb[]>>;
  session: { id: string; idle_ends_at: string; ends_at: string } | null;
  totp: boolean;
}

const AREAS: Area[] = ['infrastructure', 'hosts', 'publishing', 'directory', 'sessions', 'administrators', 'audit'];
const VERBS: Verb[] = ['view', 'modify', 'add', 'delete', 'control'];

/** Whoever the broker lets in without saying who they are. */
export const EVERYTHING: Me = {
  administrator: '',
  user: null,
  role: 'root',
  areas: Object.fromEntries(AREAS.map((area) => [area, VERBS])),
  session: null,
  totp: false,
};

export const may = (me: Me, area: Area, verb: Verb = 'view'): boolean => me.areas[area]?.includes(verb) ?? false;

/** The word for a role, under which its name stands in the catalogue. */
export const roleWord = (role: Role): string => (typeof role === 'string' ? role : (Object.keys(role)[0] ?? 'custom'));
