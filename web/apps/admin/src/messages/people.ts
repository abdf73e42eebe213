/** Who else is here: people, whose sign-ins may be several. */
import { get, type AdministratorSessions, type Colleague, type ColleagueList } from '@oriel/api/management';
import { queryOptions } from '@tanstack/react-query';

const LOOK_EVERY_MS = 10_000;

/** Sign-ins with what is known of them, for who manages administrators. */
export const present = queryOptions({
  queryKey: ['administrator-sessions'] as const,
  refetchInterval: LOOK_EVERY_MS,
  queryFn: async ({ signal }) => (await get<AdministratorSessions>('/administrator-sessions', {}, signal)).items,
});

/** Who can be written to, by name: for everybody who works here. */
export const colleagues = queryOptions({
  queryKey: ['colleagues'] as const,
  refetchInterval: LOOK_EVERY_MS,
  queryFn: async ({ signal }) => (await get<ColleagueList>('/colleagues', {}, signal)).items,
});

export const others = (people: readonly Colleague[], own: string | undefined): Colleague[] => people.filter(({ user }) => user !== own);

/** As they are called: people of one name are told apart by what they sign in with. */
export const calledOf = ({ user_name, full_name }: Colleague): string => (full_name === '' || full_name === user_name ? user_name : `${full_name} (${user_name})`);
