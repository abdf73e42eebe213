/**
 * What somebody sets for this browser: kept in local storage, shared between a portal's tabs as it changes. The
 * colour scheme is kept by Mantine, beside it. Nothing of React here: a session's page asks before React has come.
 */
export interface Kept<P> {
  now: () => P;
  set: (changes: Partial<P>) => void;
  /** Tells of changes, here and in other tabs; gives the way to stop that. */
  on: (listener: () => void) => () => void;
}

/** @param sound takes what is usable of what was stored, by whichever version */
export function keep<P extends object>(key: string, sound: (stored: Partial<P>) => P): Kept<P> {
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  let current = read();

  function read(): P {
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
      return sound(typeof stored === 'object' && stored !== null ? stored : {});
    } catch {
      return sound({});
    }
  }

  if (typeof window !== 'undefined') {
    window.addEventListener('storage', (event) => {
      if (event.key !== key) return;
      current = read();
      tell();
    });
  }

  return {
    now: () => current,
    set: (changes) => {
      current = { ...current, ...changes };
      try {
        localStorage.setItem(key, JSON.stringify(current));
      } catch {
        // No storage in this browser mode: it holds until the tab is closed.
      }
      tell();
    },
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
