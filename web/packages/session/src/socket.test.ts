import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ADDRESS_MS, lendSocket, openFirst, openSocket } from './socket.ts';

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

describe('several addresses', () => {
  const addresses = ['wss://first.example/rdp', 'wss://second.example/rdp', 'wss://own.example/rdp'];

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are tried in order, each for a short time, and the last one for as long as it takes', async () => {
    const opening = openFirst(addresses);
    FakeSocket.made[0]?.dispatchEvent(new Event('close'));
    await vi.advanceTimersByTimeAsync(ADDRESS_MS - 1);
    expect(FakeSocket.made.map((each) => each.closed)).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.made.map((each) => each.url)).toEqual(addresses);
    expect(FakeSocket.made[1]?.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    FakeSocket.made[2]?.dispatchEvent(new Event('open'));
    expect(await opening).toEqual({ socket: FakeSocket.made[2], address: addresses[2] });
  });

  it('stop at the first that answers', async () => {
    const opening = openFirst(addresses);
    FakeSocket.made[0]?.dispatchEvent(new Event('open'));
    expect((await opening)?.address).toBe(addresses[0]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(FakeSocket.made[0]?.closed).toBe(false);
  });

  it('that are none are passed over', async () => {
    const opening = openFirst(['wss://no port:x/rdp', addresses[2] ?? '']);
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.made.at(-1)?.dispatchEvent(new Event('close'));
    expect(await opening).toBeNull();
  });
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
