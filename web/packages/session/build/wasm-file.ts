/**
 * Vite plugin: takes the WebAssembly out of the RDP client's npm module.
 *
 * The package carries it as a `data:` URL of 6 MB inside its JavaScript. As a file of its own it
 * is a quarter smaller on the wire, is compiled while it streams in, and needs no `data:` in
 * the Content-Security-Policy.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MODULE = /iron-remote-desktop-rdp\.js$/;
const DATA_URL = /"data:application\/wasm;base64,([A-Za-z0-9+/=]+)"/g;
const DEV_PATH = '/@oriel/iron-remote-desktop-rdp.wasm';

/** Splits the module's code. Throws, and so fails the build, when the package has changed its form. */
export function splitWasm(code: string): { before: string; wasm: Buffer; after: string } {
  const matches = [...code.matchAll(DATA_URL)];
  const [match] = matches;
  if (matches.length !== 1 || !match?.[1]) {
    throw new Error(
      `The RDP client's npm module holds ${matches.length} embedded WebAssembly data: URLs where one was expected. ` +
        'A new version of @devolutions/iron-remote-desktop-rdp packs it differently: adapt packages/session/build/wasm-file.ts.',
    );
  }
  const wasm = Buffer.from(match[1], 'base64');
  if (wasm.subarray(0, 4).toString('latin1') !== '\0asm') {
    throw new Error("What the RDP client's npm module embeds as application/wasm is not WebAssembly.");
  }
  return {
    before: code.slice(0, match.index),
    wasm,
    after: code.slice(match.index + match[0].length),
  };
}

interface Context {
  emitFile(file: { type: 'asset'; name: string; source: Uint8Array }): string;
}

interface DevServer {
  middlewares: {
    use(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): void;
  };
}

export function wasmFile() {
  let building = false;
  let seen = false;
  let wasm: Buffer | undefined;
  return {
    name: 'oriel-wasm-file',
    enforce: 'pre' as const,
    config: () => ({ optimizeDeps: { exclude: ['@devolutions/iron-remote-desktop-rdp'] } }),
    configResolved(config: { command: string }) {
      building = config.command === 'build';
    },
    configureServer(server: DevServer) {
      server.middlewares.use(DEV_PATH, (_request, response) => {
        response.setHeader('content-type', 'application/wasm');
        response.end(wasm);
      });
    },
    transform(this: Context, code: string, id: string) {
      if (!MODULE.test(id.split('?')[0] ?? id)) return null;
      const parts = splitWasm(code);
      seen = true;
      wasm = parts.wasm;
      const url = building
        ? `import.meta.ROLLUP_FILE_URL_${this.emitFile({
            type: 'asset',
            name: 'iron-remote-desktop-rdp.wasm',
            source: wasm,
          })}`
        : JSON.stringify(DEV_PATH);
      return { code: parts.before + url + parts.after, map: null };
    },
    buildEnd(error?: unknown) {
      if (building && !seen && !error) {
        throw new Error('The build never met the RDP client module: its WebAssembly was not split out.');
      }
    },
  };
}
