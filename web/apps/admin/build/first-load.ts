/**
 * Vite plugin: fails the build when the scripts that every page loads before it shows anything have grown
 * beyond what they may weigh.
 */
import { brotliCompressSync } from 'node:zlib';

/** Compressed. On a slow line (1.6 Mbit/s) this is a second and a half. */
const MAX_KIB = 300;

interface Chunk {
  type: string;
  fileName: string;
  isEntry?: boolean;
  imports?: string[];
  code?: string;
}

export function firstLoad() {
  return {
    name: 'oriel-first-load',
    apply: 'build' as const,
    generateBundle(_options: unknown, bundle: Record<string, Chunk>) {
      const bytes = [...firstChunks(bundle)].reduce((sum, { code }) => sum + brotliCompressSync(code ?? '').length, 0);
      const kib = Math.ceil(bytes / 1024);
      console.log(`first load: ${kib} KiB of script, compressed (at most ${MAX_KIB})`);
      if (kib > MAX_KIB) throw new Error(`The pages' first load is ${kib} KiB of compressed script; ${MAX_KIB} KiB is the most.`);
    },
  };
}

/** What the entry imports, directly and through others; not what it loads later. */
export function firstChunks(bundle: Record<string, Chunk>): Set<Chunk> {
  const found = new Set<Chunk>();
  const visit = (name: string): void => {
    const chunk = bundle[name];
    if (!chunk || chunk.type !== 'chunk' || found.has(chunk)) return;
    found.add(chunk);
    chunk.imports?.forEach(visit);
  };
  Object.values(bundle).filter((chunk) => chunk.isEntry).forEach(({ fileName }) => visit(fileName));
  return found;
}
