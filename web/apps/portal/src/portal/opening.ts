/** How a resource opens in this client: a browser. Pure. */
import type { Resource } from '@oriel/api';

export type Opening =
  /** In a session, on a page of its own. */
  | { in: 'session'; href: string }
  /** In a tab of the user's own browser. */
  | { in: 'browser'; href: string }
  /** Only with a client that is installed on the device. */
  | { in: 'device' };

export function openingOf(resource: Resource): Opening {
  if (resource.kind === 'local_application') return { in: 'device' };
  if (resource.url !== null && isWebAddress(resource.url)) return { in: 'browser', href: resource.url };
  return { in: 'session', href: `/session?resource=${encodeURIComponent(resource.id)}` };
}

/** The farm checks it too; but what a page follows, it looks at itself. */
export function isWebAddress(text: string): boolean {
  try {
    return ['https:', 'http:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
