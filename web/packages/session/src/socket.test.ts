import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lendSocket, openSocket } from './socket.ts';

/** As much of a WebSocket as is needed here. */
class FakeSocket extends EventTarget {
  static made: FakeSocket[] = [];
  readonly url: string;
  closed = false;
  constructor(address: string) {
    super();
    this.url = new URL(address).href;
    FakeSocket.made.push(this);
  }
  close() {
    this.closed = true;
  }
}

const ADDRESS = 'wss://gateway.example/rdp';
const own = globalThis.WebSocket;
const fake = FakeSocket as unknown as typeof WebSocket;
const socket = () => new FakeSocket(ADDRESS) as unknown as WebSocket & FakeSocket;

beforeEach(() => {
  FakeSocket.made = [];
  globalThis.WebSocket = fake;
});
afterEach(() => {
  globalThis.WebSocket = own;
});

describe('opening', () => {
  it.each([
    ['open', true],
    ['close', false],
  ])('on %s gives a socket: %s', async (event, gives) => {
    const opening = openSocket(ADDRESS);
    FakeSocket.made[0]?.dispatchEvent(new Event(event));
    expect(await opening).toBe(gives ? FakeSocket.made[0] : null);
  });
});

describe('lending', () => {
  it('gives the open socket once, then new ones', async () => {
    const lent = socket();
    const got = await lendSocket(lent, async () => [new WebSocket(ADDRESS), new WebSocket(ADDRESS)]);
    expect(got[0]).toBe(lent);
    expect(got[1]).not.toBe(lent);
    expect(lent.closed).toBe(false);
    expect(globalThis.WebSocket).toBe(fake);
  });

  it('gives nothing for another address, and closes what was not asked for', async () => {
    const lent = socket();
    const other = await lendSocket(lent, async () => new WebSocket('wss://other.example/rdp'));
    expect(other).not.toBe(lent);
    expect(lent.closed).toBe(true);
  });

  it('is over when the work fails', async () => {
    const lent = socket();
    await expect(lendSocket(lent, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(lent.closed).toBe(true);
    expect(globalThis.WebSocket).toBe(fake);
  });
});
