/** The session page's own URL. Ids in it are no secrets: they open nothing without a sign-in. */
import type { Goal } from './machine.ts';

export function readGoal(query: string): Goal {
  const parameters = new URLSearchParams(query);
  return { session: parameters.get('session') || null, resource: parameters.get('resource') || null };
}

export function addressOf(goal: Goal): string {
  const parameters = new URLSearchParams();
  if (goal.session) parameters.set('session', goal.session);
  if (goal.resource) parameters.set('resource', goal.resource);
  return `/session?${parameters}`;
}
