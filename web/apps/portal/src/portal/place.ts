/** Where in the portal one is, kept in the URL so that back, reload and bookmarks work. */
import { useSyncExternalStore } from 'react';

export interface Place {
  view: 'programs' | 'sessions';
  folder: string | null;
  search: string;
}

const CHANGED = 'oriel:place';

export function readPlace(query: string): Place {
  const parameters = new URLSearchParams(query);
  return {
    view: parameters.get('view') === 'sessions' ? 'sessions' : 'programs',
    folder: parameters.get('folder'),
    search: parameters.get('q') ?? '',
  };
}

export function hrefOf(place: Partial<Place>): string {
  const parameters = new URLSearchParams();
  if (place.view === 'sessions') parameters.set('view', 'sessions');
  if (place.folder) parameters.set('folder', place.folder);
  if (place.search) parameters.set('q', place.search);
  const query = parameters.toString();
  return query === '' ? '/' : `/?${query}`;
}

export function go(href: string, how: 'push' | 'replace' = 'push'): void {
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', href);
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(CHANGED, listener);
  };
}

export const useQueryString = (): string => useSyncExternalStore(subscribe, () => location.search);

/** For links within the portal: a plain click stays on the page, any other does what links do. */
export function follow(event: React.MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
    return;
  }
  event.preventDefault();
  go(event.currentTarget.getAttribute('href') ?? '/');
}

/** For links that open a tab: who clicks twice, as on a desktop, wants one and not two. */
export function once(event: React.MouseEvent<HTMLAnchorElement>): void {
  if (event.detail > 1) event.preventDefault();
}
