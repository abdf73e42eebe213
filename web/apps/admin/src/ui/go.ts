/** Going to a page, and what its address says. Addresses are put together from kinds, so they are plain strings. */
import { useNavigate, useSearch } from '@tanstack/react-router';

export type Search = Record<string, unknown>;

export function useGo(): (to: string, search?: Search, replace?: boolean, hash?: string) => void {
  const navigate = useNavigate();
  return (to, search = {}, replace = false, hash = '') => void navigate({ to, search, replace, hash } as never);
}

/** What the address says after the question mark, and a way to change a part of it. */
export function usePlace(): [Search, (changes: Search) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const set = (changes: Search) =>
    void navigate({
      to: '.',
      replace: true,
      resetScroll: false,
      search: (before: Search) => Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== undefined && value !== '')),
    } as never);
  return [search, set];
}

export const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
