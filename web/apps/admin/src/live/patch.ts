/** What an event means for lists that are shown: pure, so that it can be tested. */
import type { InfiniteData } from '@tanstack/react-query';
import type { Page } from '../queries.ts';

interface Row {
  id: string;
}

/** Rows as they are now, by their ids; null: gone. */
export type Changes<R> = ReadonlyMap<string, R | null>;

/**
 * The list with its rows as they are now, without those that are gone. Rows, pages and a list that did not change
 * stay the same objects: only what changed is drawn again.
 */
export function patched<R extends Row>(data: InfiniteData<Page<R>>, changes: Changes<R>): InfiniteData<Page<R>> {
  if (!data.pages.some((page) => page.items.some(({ id }) => changes.has(id)))) return data;
  const pages = data.pages.map((page) => {
    if (!page.items.some(({ id }) => changes.has(id))) return page;
    const items = page.items.flatMap((row) => {
      const now = changes.get(row.id);
      return now === undefined ? [row] : now === null ? [] : [now];
    });
    return { ...page, items };
  });
  return { ...data, pages };
}

/** The rows with one as it is now, at their end; without it when it is gone. */
export function renewed<R extends Row>(rows: readonly R[] | undefined, id: string, now: R | null): R[] {
  const others = (rows ?? []).filter((row) => row.id !== id);
  return now === null ? others : [...others, now];
}

/** The newest samples of a number, oldest first. */
export function sampled(samples: readonly number[], value: number, most: number): number[] {
  return [...samples.slice(Math.max(0, samples.length + 1 - most)), value];
}
