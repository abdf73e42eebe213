/**
 * How the page was come to. A link on somebody else's site must not start a program: only what the
 * portal itself opened, or was opened here before, goes ahead by itself.
 */

/** Whether it was a page of ours that led here, or this page of the history was open already. */
export function isWished(arrival: { referrer: string; origin: string; wasOpen: boolean }): boolean {
  return arrival.wasOpen || arrival.referrer.startsWith(`${arrival.origin}/`);
}

export const wasWished = (): boolean =>
  isWished({ referrer: document.referrer, origin: location.origin, wasOpen: history.state?.open === true });

/** Remembers for a reload, in the history itself, which no other site can write. */
export function noteOpen(address: string): void {
  history.replaceState({ open: true }, '', address);
}
