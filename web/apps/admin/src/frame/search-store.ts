/** Opens the search from anywhere, also before its code is there. */
const listeners = new Set<() => void>();

export const openSearch = (): void => listeners.forEach((open) => open());

export function onOpenSearch(open: () => void): () => void {
  listeners.add(open);
  return () => listeners.delete(open);
}
