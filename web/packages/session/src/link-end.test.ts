import { describe, expect, it } from 'vitest';
import { linkEndOf, linkEndOfText } from './link-end.ts';

const iron = (kind: number, text: string, details?: object) => ({
  kind: () => kind,
  backtrace: () => text,
  rdcleanpathDetails: () => details,
});

describe('the end of a connection', () => {
  it.each([
    ['[read frame] received disconnect provider ultimatum: UserRequested', 'closed'],
    ['WebSocket Closed: code: 4000, reason: reset', 'closed'],
    ['WebSocket Closed: code: 1000, reason: ', 'closed'],
    ['WebSocket Closed: code: 1006, reason: ', 'network'],
    ['failed to read frame: not enough bytes', 'network'],
    ['decode error: invalid `fastpath` update code', 'protocol'],
  ])('%s is %s', (text, kind) => {
    expect(linkEndOfText(text)).toEqual({ kind, text });
    expect(linkEndOf(iron(0, text)).kind).toBe(kind);
  });

  it.each([
    [iron(1, 'x'), 'refused'],
    [iron(4, 'x', { httpStatusCode: 403 }), 'refused'],
    [iron(4, 'x', { httpStatusCode: 502 }), 'unreachable'],
    [iron(4, 'x', { wsaErrorCode: 10061 }), 'unreachable'],
    [iron(4, 'x'), 'network'],
    [iron(5, 'x'), 'network'],
    [new WebAssembly.RuntimeError('unreachable'), 'crashed'],
    [new Error('recursive use of an object detected which would lead to unsafe aliasing in rust'), 'crashed'],
    [new Error('something else'), 'protocol'],
    [undefined, 'protocol'],
  ])('%s is %s', (thrown, kind) => {
    expect(linkEndOf(thrown).kind).toBe(kind);
  });
});
