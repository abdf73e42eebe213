/** Recovery codes that were just made. They are shown once, so they outlast whatever page asked for them. */
import { useSyncExternalStore } from 'react';

let codes: readonly string[] | null = null;
const listeners = new Set<() => void>();

export function showRecoveryCodes(made: readonly string[] | null): void {
  codes = made;
  listeners.forEach((tell) => tell());
}

export const useRecoveryCodes = (): readonly string[] | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => codes,
  );
