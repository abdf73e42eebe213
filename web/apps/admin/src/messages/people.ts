/** Who else is here: people, whose sign-ins may be several. */
import { get, type AdministratorSession, type AdministratorSessions } from '@oriel/api/management';
import { queryOptions } from '@tanstack/react-query';

export interface Person {
  user: string;
  name: string;
  /** Their sign-ins, the newest first. */
  sessions: string[];
}

const LOOK_EVERY_MS = 10_000;

export const present = queryOptions({
  queryKey: ['administrator-sessions'] as const,
  refetchInterval: LOOK_EVERY_MS,
  queryFn: async ({ signal }) => (await get<AdministratorSessions>('/administrator-sessions', {}, signal)).items,
});

/** Everybody but oneself, by name. */
export function others(sessions: readonly AdministratorSession[], own: string | undefined): Person[] {
  const people = new Map<string, Person>();
  for (const { id, user, user_name: name } of sessions.filter((each) => each.user !== own)) {
    const known = people.get(user);
    if (known) known.sessions.push(id);
    else people.set(user, { user, name, sessions: [id] });
  }
  return [...people.values()].toSorted((a, b) => a.name.localeCompare(b.name));
}
