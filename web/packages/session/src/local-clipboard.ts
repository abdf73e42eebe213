/**
 * The text clipboard of the user's own machine.
 *
 * Out of the session: text is written as soon as the host sends it; where the browser does not
 * allow that, it is kept for a panel. Into the session: a paste key brings the text with it in
 * every browser; browsers that allow reading are also read whenever the page gets the focus
 * (in between, no other program can have changed it).
 */

import type { CopyWays } from './remote-session.ts';

export interface LocalClipboardOptions {
  /** Gives text to the host. */
  offer(text: string): void;
  /** Text came from the host; `written` tells whether the local clipboard has it. */
  received(text: string, written: boolean): void;
}

export class LocalClipboard {
  #options: LocalClipboardOptions;
  #ways: CopyWays = { into: false, out: false };
  /** What both sides are known to hold, so that text is not sent back and forth. */
  #known: string | undefined;
  #waiting: string | undefined;

  constructor(options: LocalClipboardOptions) {
    this.#options = options;
  }

  /** Which ways text may be copied. */
  get ways(): CopyWays {
    return this.#ways;
  }

  set ways(ways: CopyWays) {
    this.#ways = ways;
    if (!ways.out) this.#waiting = undefined;
  }

  /** Listens for the page's focus. Returns what undoes it. */
  attach(): () => void {
    const onFocus = () => void this.#onFocus();
    window.addEventListener('focus', onFocus);
    return () => window.removeEventListener('focus', onFocus);
  }

  async fromHost(text: string): Promise<void> {
    if (!this.#ways.out) return;
    this.#known = text;
    if (!document.hasFocus()) {
      this.#waiting = text;
      this.#options.received(text, false);
      return;
    }
    this.#options.received(text, await write(text));
  }

  /** Text that the user pasted or typed into the panel. Returns true if the host is told of it. */
  fromUser(text: string): boolean {
    if (!this.#ways.into || text === this.#known) return false;
    this.#known = text;
    this.#options.offer(text);
    return true;
  }

  /** Reads the local clipboard if that needs no question to the user. */
  async read(): Promise<void> {
    if (this.#ways.into && document.hasFocus() && (await mayRead()) === 'granted') await this.readNow();
  }

  /** Reads it even if the browser asks the user first. Returns false if it may not be read. */
  async readNow(): Promise<boolean> {
    try {
      const text = await navigator.clipboard.readText();
      if (text !== '') this.fromUser(text);
      return true;
    } catch {
      return false;
    }
  }

  /** A new connection knows nothing of what was offered before. */
  forget(): void {
    this.#known = undefined;
  }

  async #onFocus(): Promise<void> {
    if (this.#waiting !== undefined) {
      const text = this.#waiting;
      this.#waiting = undefined;
      this.#options.received(text, await write(text));
    } else {
      await this.read();
    }
  }
}

export async function mayRead(): Promise<PermissionState> {
  try {
    // Only Chromium knows this name; elsewhere the query throws and pasting is by key or panel.
    return (await navigator.permissions.query({ name: 'clipboard-read' as PermissionName })).state;
  } catch {
    return 'denied';
  }
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
