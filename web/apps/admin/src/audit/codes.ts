/** What entries of the log tell, by what they are about. */
import type { EntryShown } from '@oriel/api/management';

type Code = EntryShown['code'];

const CODES = [
  'settings.created', 'settings.changed', 'settings.deleted', 'settings.secret_set', 'settings.secret_removed',
  'user.signed_in', 'user.sign_in_refused', 'user.signed_out', 'user.hours_extended',
  'administrator.signed_in', 'administrator.sign_in_refused', 'administrator.signed_out', 'administrator.recovered',
  'token.refused',
  'session.launched', 'session.launch_refused', 'session.messaged', 'session.disconnected', 'session.logged_off', 'session.reset', 'session.process_ended',
  'directory.answers', 'directory.out_of_reach',
  'host.restarted', 'host.stopped', 'schedule.carried_out', 'component.joined', 'component.join_refused',
  'notification.sent', 'notification.failed', 'backup.made', 'backup.failed', 'farm.exported', 'log.dropped', 'log.lost',
] as const satisfies readonly Code[];

/** Does not compile where a code is left out. */
type Missing = Exclude<Code, (typeof CODES)[number]>;
const ALL: readonly Code[] = CODES satisfies [Missing] extends [never] ? readonly Code[] : never;

/** What a code is about, and what it says of that. */
export function partsOf(code: string): { area: string; what: string } {
  const [area = '', what = ''] = code.split('.');
  return { area, what };
}

/** Each area with its codes, in the order in which they are offered. */
export const AREAS: readonly { area: string; codes: Code[] }[] = [...new Set(ALL.map((code) => partsOf(code).area))].map((area) => ({
  area,
  codes: ALL.filter((code) => partsOf(code).area === area),
}));

export const VIAS = ['portal', 'cli', 'api', 'system', 'recovery'] as const;
export const OUTCOMES = ['done', 'refused', 'failed'] as const;

const COLOURS: Record<string, string> = { created: 'green', deleted: 'red', secret_removed: 'red', reset: 'red', lost: 'red' };

export function colourOf({ code, outcome }: EntryShown): string {
  if (outcome === 'failed') return 'red';
  if (outcome === 'refused') return 'orange';
  return COLOURS[partsOf(code).what] ?? 'frame';
}
