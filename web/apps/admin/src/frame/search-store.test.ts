import { expect, it, vi } from 'vitest';
import { keepForSearch, onOpenSearch, openSearch } from './search-store.ts';

it('a search that was wanted before its code came opens when it comes, and once', () => {
  const open = vi.fn();
  expect(keepForSearch()).toBe(true);
  openSearch();
  const leave = onOpenSearch(open);
  expect(open).toHaveBeenCalledTimes(1);
  expect(keepForSearch()).toBe(false);
  expect(open).toHaveBeenCalledTimes(1);
  openSearch();
  expect(open).toHaveBeenCalledTimes(2);
  leave();
  onOpenSearch(open);
  expect(open).toHaveBeenCalledTimes(2);
});
