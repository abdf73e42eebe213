/** Who is signed in, and what they may do. */
import type { Action, Area, Me } from '@oriel/api/management';

export type { Me };
export type Verb = Action;

export const may = (me: Me, area: Area, verb: Verb = 'view'): boolean => me.areas[area]?.includes(verb) ?? false;

/** What they are called; the log's name of a token. */
export const nameOf = (me: Me): string => me.user?.full_name || me.user?.name || me.name;
