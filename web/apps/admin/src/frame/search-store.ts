/** Opens the search from anywhere, also before its code is there. */
const listeners = new Set<() => void>();
let isWanted = false;

export function openSearch(): void {
  if (!keepForSearch()) listeners.forEach((open) => open());
}

/** Remembers for a search whose code is still on its way that it is wanted; of no effect once it is there. */
export function keepForSearch(): boolean {
  if (listeners.size > 0) return false;
  isWanted = true;
  return true;
}

export function onOpenSearch(open: () => void): () => void {
  listeners.add(open);
  if (isWanted) open();
  isWanted = false;
  return () => listeners.delete(open);
}
