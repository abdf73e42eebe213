/**
 * A WebSocket that is open before the RDP client gets it. The client makes its own and then looks
 * only every 50 ms whether it is open; one that is open already it uses at once.
 */

/**
 * How long an address may take that is not the last one. A gateway nearby answers within three round trips;
 * whoever is sent past one that is down waits no longer than this.
 */
export const ADDRESS_MS = 2_500;

/** Resolves with an open WebSocket, or with null when it could not be opened: browsers tell no reason. */
export function openSocket(address: string, withinMs?: number): Promise<WebSocket | null> {
  return new Promise((resolve) => {
    let socket: WebSocket;
    try {
      socket = new WebSocket(address);
    } catch {
      // Not an address, or one that the page may not connect to.
      resolve(null);
      return;
    }
    const settle = (result: WebSocket | null) => {
      clearTimeout(timer);
      resolve(result);
    };
    const giveUp = () => {
      settle(null);
      socket.close();
    };
    const timer = withinMs === undefined ? undefined : setTimeout(giveUp, withinMs);
    socket.addEventListener('open', () => settle(socket), { once: true });
    socket.addEventListener('close', () => settle(null), { once: true });
  });
}

/** The first of the addresses that answers, and its WebSocket. */
export async function openFirst(addresses: readonly string[]): Promise<{ socket: WebSocket; address: string } | null> {
  for (const [place, address] of addresses.entries()) {
    const isLast = place === addresses.length - 1;
    const socket = await openSocket(address, isLast ? undefined : ADDRESS_MS);
    if (socket) return { socket, address };
  }
  return null;
}

/**
 * While `work` runs, the first `new WebSocket` for this socket's address gives this socket. One that
 * was not asked for is closed at the end.
 */
export async function lendSocket<T>(socket: WebSocket, work: () => Promise<T>): Promise<T> {
  const Own = globalThis.WebSocket;
  let isLent = false;
  const Lending = new Proxy(Own, {
    construct(target, args: ConstructorParameters<typeof WebSocket>) {
      if (isLent || new URL(args[0]).href !== new URL(socket.url).href) return new target(...args);
      isLent = true;
      return socket;
    },
  });
  globalThis.WebSocket = Lending;
  try {
    return await work();
  } finally {
    if (globalThis.WebSocket === Lending) globalThis.WebSocket = Own;
    if (!isLent) socket.close();
  }
}
