/** Turns what the RDP client throws into a `LinkEnd`. Pure, so that every case is a test. */
import type { LinkEnd } from './remote-session.ts';

/** `IronErrorKind` of the client; it is declared but not exported as a value. */
const WRONG_PASSWORD = 1;
const LOGON_FAILURE = 2;
const ACCESS_DENIED = 3;
const RD_CLEAN_PATH = 4;
const PROXY_CONNECT = 5;

interface IronErrorLike {
  kind(): number;
  backtrace(): string;
  rdcleanpathDetails?(): { httpStatusCode?: number; wsaErrorCode?: number; tlsAlertCode?: number } | undefined;
}

function isIronError(thrown: unknown): thrown is IronErrorLike {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    typeof (thrown as IronErrorLike).kind === 'function' &&
    typeof (thrown as IronErrorLike).backtrace === 'function'
  );
}

/** A wasm panic arrives as a trap, or as the complaint of the next call into the broken client. */
export function isCrash(thrown: unknown): boolean {
  if (thrown instanceof WebAssembly.RuntimeError) return true;
  const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
  return /\bunreachable\b|recursive use of an object|null pointer passed to rust/i.test(text);
}

export function linkEndOf(thrown: unknown): LinkEnd {
  if (isIronError(thrown)) return linkEndOfIronError(thrown);
  if (isCrash(thrown)) return { kind: 'crashed', text: String(thrown) };
  return { kind: 'protocol', text: String(thrown) };
}

function linkEndOfIronError(error: IronErrorLike): LinkEnd {
  const text = error.backtrace();
  switch (error.kind()) {
    case WRONG_PASSWORD:
    case LOGON_FAILURE:
    case ACCESS_DENIED:
      return { kind: 'refused', text };
    case PROXY_CONNECT:
      return { kind: 'network', text };
    case RD_CLEAN_PATH: {
      const details = error.rdcleanpathDetails?.();
      const status = details?.httpStatusCode;
      if (status === 401 || status === 403) return { kind: 'refused', text };
      if (details?.wsaErrorCode !== undefined || details?.tlsAlertCode !== undefined || status !== undefined) {
        return { kind: 'unreachable', text };
      }
      return { kind: 'network', text };
    }
  }
  return linkEndOfText(text);
}

/** The client reports most endings as a general error that only its text tells apart. */
export function linkEndOfText(text: string): LinkEnd {
  if (/disconnect provider ultimatum/i.test(text)) return { kind: 'closed', text };
  const close = /WebSocket Closed: code: (\d+)/i.exec(text);
  if (close) {
    // 1000 is a normal close; 4000 is the gateway's own "ended, ask why".
    const code = Number(close[1]);
    return { kind: code === 1000 || code === 4000 ? 'closed' : 'network', text };
  }
  if (/websocket|not enough bytes|unexpected eof|connection (was )?(closed|reset|aborted)/i.test(text)) {
    return { kind: 'network', text };
  }
  return { kind: 'protocol', text };
}
