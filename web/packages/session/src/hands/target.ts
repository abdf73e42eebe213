import type { Input, Locks } from '../remote-session.ts';

/** Where hands reach to: the session of the moment, or nothing while there is none. */
export interface Target {
  send(inputs: Input[]): void;
  release(): void;
  setLocks(locks: Locks): void;
}
