/** What an event means for lists that are shown: pure, so that it can be tested. */
import type { InfiniteData } from '@tanstack/react-query';
import type { Page } from '../queries.ts';

interface Row {
  id: string;
}

/** The list with the row as it is now; without it when `now` is null. The same list when it has no such row. */
export function patched<R extends Row>(data: InfiniteData<Page<R>>, id: string, now: R | null): InfiniteData<Page<R>> {
  if (!data.pages.some((page) => page.items.some((row) => row.id === id))) return data;
  const pages = data.pages.map((page) => {
    if (!page.items.some((row) => row.id === id)) return page;
    const items = now === null ? page.items.filter((row) => row.id !== id) : page.items.map((row) => (row.id === id ? now : row));
    return { ...page, items };
  });
  return { ...data, pages };
}

/** The newest samples of a number, oldest first. */
export function sampled(samples: readonly number[], value: number, most: number): number[] {
  return [...samples.slice(Math.max(0, samples.length + 1 - most)), value];
}
