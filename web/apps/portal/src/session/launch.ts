/** Asking the farm for a place. */
import { ApiProblem, api, type Launch } from '@oriel/api';
import { detectLayout } from '@oriel/session/layouts';
import type { Size } from '@oriel/session/types';
import { isWebAddress } from '../portal/opening.ts';
import { preferences } from '../preferences.ts';
import { clientIs, timeZone } from './client.ts';
import type { Goal } from './machine.ts';

export async function requestLaunch(goal: Goal, size: Size): Promise<Launch> {
  const chosen = preferences().layout;
  const layout = chosen === 'auto' ? await detectLayout() : chosen;
  const what =
    goal.session !== null
      ? { session_id: goal.session }
      : goal.resource !== null
        ? { resource_id: goal.resource }
        : {};
  const opened = await api.launch({
    ...what,
    time_zone: timeZone(),
    client: { ...clientIs(), ...size, keyboard_layout: layout },
  });
  if ('ticket' in opened) return opened;
  // A page for the user's own browser, come to by an old link: it opens here.
  if (opened.url !== undefined && isWebAddress(opened.url)) {
    location.replace(opened.url);
    return new Promise(() => {});
  }
  throw new ApiProblem({ status: 409, code: 'not_for_this_client', message: '' });
}
