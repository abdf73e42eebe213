/** What an event means for lists that are shown: pure, so that it can be tested. */
import type { InfiniteData } from '@tanstack/react-query';
import type { Page } from '../queries.ts';

interface Row {
  id: string;
}

type Loaded<R> = InfiniteData<Page<R>> | R[];

/** The row as the list shows it. */
export function found<R extends Row>(data: Loaded<R>, id: string): R | undefined {
  if (Array.isArray(data)) return data.find((row) => row.id === id);
  for (const { items } of data.pages) {
    const row = items.find((each) => each.id === id);
    if (row) return row;
  }
  return undefined;
}

/** The list with the row as it is now; without it when `now` is null. The same list when it has no such row. */
export function patched<R extends Row>(data: InfiniteData<Page<R>>, id: string, now: R | null): InfiniteData<Page<R>> {
  if (!data.pages.some((page) => page.items.some((row) => row.id === id))) return data;
  const pages = data.pages.map((page) => {
    if (!page.items.some((row) => row.id === id)) return page;
    return { ...page, items: patchedAll(page.items, id, now) };
  });
  return { ...data, pages };
}

/** The same of a list that is loaded whole. */
export function patchedAll<R extends Row>(rows: R[], id: string, now: R | null): R[] {
  if (!rows.some((row) => row.id === id)) return rows;
  return now === null ? rows.filter((row) => row.id !== id) : rows.map((row) => (row.id === id ? now : row));
}

/** The newest samples of a number, oldest first. */
export function sampled(samples: readonly number[], value: number, most: number): number[] {
  return [...samples.slice(Math.max(0, samples.length + 1 - most)), value];
}
