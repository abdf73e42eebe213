/**
 * What the page needs of a remote-desktop client, and no more, so that another client can take
 * the place of the one behind it. Nothing of RDP shows here; nothing here knows the portal API.
 */

export interface Size {
  /** Pixels. */
  width: number;
  height: number;
}

export interface CopyWays {
  /** From this device into the session. */
  into: boolean;
  /** Out of the session. */
  out: boolean;
}

export interface ConnectOptions {
  /** wss:// addresses of gateways' endpoints, tried in this order. All but the last get a short time only. */
  addresses: string[];
  /** One-time ticket; the only thing that the gateway trusts. */
  ticket: string;
  /** Session to attach to; the gateway compares it with the ticket. */
  session: string;
  size: Size;
  /** Which ways text may be copied. */
  clipboard: CopyWays;
}

/** One thing that a hand did. Coordinates are pixels of the remote desktop. */
export type Input =
  | { type: 'key'; scancode: number; down: boolean }
  | { type: 'character'; character: string; down: boolean }
  | { type: 'move'; x: number; y: number }
  /** Buttons as in `PointerEvent.button`: 0 left, 1 middle, 2 right, 3 back, 4 forward. */
  | { type: 'button'; button: number; down: boolean }
  /** 120 units are one notch; positive is up or left. */
  | { type: 'wheel'; vertical: boolean; units: number };

export interface Locks {
  scroll: boolean;
  num: boolean;
  caps: boolean;
  kana: boolean;
}

/**
 * How a connection came to its end, as far as the client can tell. Who ended it, and why, only
 * the broker knows.
 */
export type LinkEndKind =
  /** We asked for it. */
  | 'local'
  /** The other side ended it in good order. */
  | 'closed'
  /** The network or the gateway went away. */
  | 'network'
  /** The gateway or host refused the ticket or the logon. */
  | 'refused'
  /** The gateway could not reach the host. */
  | 'unreachable'
  /** The host said something that the client does not understand. */
  | 'protocol'
  /** The client itself failed; its page must be loaded anew before the next connection. */
  | 'crashed';

export interface LinkEnd {
  kind: LinkEndKind;
  /** For logs and bug reports, not for users. */
  text: string;
}

export interface SessionEvents {
  /** A gateway has answered at this address. */
  reached(address: string): void;
  /** The first picture has been drawn. */
  picture(): void;
  /** The desktop has a new size. */
  sized(size: Size): void;
  /** A CSS cursor. */
  cursor(css: string): void;
  /** The host's clipboard holds this text. */
  clipboard(text: string): void;
  /** Called exactly once, also when connecting failed. */
  ended(end: LinkEnd): void;
}

export interface RemoteSession {
  /** Where the picture is. One per session: an old one keeps its last picture. */
  readonly canvas: HTMLCanvasElement;
  /** Resolves when the host has accepted the connection; failures go to `ended`. */
  connect(options: ConnectOptions): Promise<void>;
  send(inputs: Input[]): void;
  /** Lets go of every key and button that is held. */
  release(): void;
  setLocks(locks: Locks): void;
  /** Offers text to the host's clipboard. */
  offerClipboard(text: string): void;
  /** Asks the host for a new desktop size; `sized` tells if it follows. */
  resize(size: Size): void;
  /** Leaves the session running on its host. */
  disconnect(): void;
}

export interface RemoteClient {
  /** Loads what the client needs, so that the first connection need not wait for it. */
  load(): Promise<void>;
  create(events: SessionEvents): RemoteSession;
}
