import { describe, expect, it } from 'vitest';
import { splitWasm } from './wasm-file.ts';

const url = (bytes: string) => `"data:application/wasm;base64,${Buffer.from(bytes, 'latin1').toString('base64')}"`;

describe('taking the WebAssembly out', () => {
  it('splits the code around it', () => {
    const parts = splitWasm(`const a = ${url('\0asm123')};\nb()`);
    expect(parts.before).toBe('const a = ');
    expect(parts.after).toBe(';\nb()');
    expect(parts.wasm.toString('latin1')).toBe('\0asm123');
  });

  it.each([['none', 'const a = 1'], ['two', url('\0asm') + url('\0asm')], ['not wasm', url('<html>')]])('refuses %s', (_name, code) => {
    expect(() => splitWasm(code)).toThrow();
  });
});
