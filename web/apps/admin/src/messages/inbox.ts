/** Messages of other administrators that wait to be read; events (live/) bring new ones. */
import { call, get, type ColleagueMessage, type MessageList } from '@oriel/api/management';
import { queryOptions } from '@tanstack/react-query';
import { renewed } from '../live/patch.ts';
import { queries } from '../queries.ts';

export const inbox = queryOptions({
  queryKey: ['messages'] as const,
  queryFn: async ({ signal }) => (await get<MessageList>('/me/messages', {}, signal)).items,
  staleTime: Infinity,
});

/** A message as it is now; null: it was put away, here or in another tab. */
export function onMessage(id: string, now: ColleagueMessage | null): void {
  queries.setQueryData(inbox.queryKey, (waiting) => renewed(waiting, id, now));
}

export async function putAway(id: string): Promise<void> {
  await call('DELETE', `/me/messages/${id}`);
  onMessage(id, null);
}
