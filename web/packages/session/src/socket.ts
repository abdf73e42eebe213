/**
 * A WebSocket that is open before the RDP client gets it. The client makes its own and then looks
 * only every 50 ms whether it is open; one that is open already it uses at once.
 */

/** Resolves with an open WebSocket, or with null when it could not be opened: browsers tell no reason. */
export function openSocket(address: string): Promise<WebSocket | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.addEventListener('open', () => resolve(socket), { once: true });
    socket.addEventListener('close', () => resolve(null), { once: true });
  });
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
