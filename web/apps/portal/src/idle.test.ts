import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

let watchHands: typeof import('./idle.ts').watchHands;
let whenIdle: typeof import('./idle.ts').whenIdle;

/** As much of a page as is needed here. */
beforeEach(async () => {
  vi.useFakeTimers();
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: kept.set.bind(kept) });
  vi.stubGlobal('window', Object.assign(new EventTarget(), { setTimeout, clearTimeout }));
  vi.resetModules();
  ({ watchHands, whenIdle } = await import('./idle.ts'));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('nobody there', () => {
  it('is told once, after as long as was said', () => {
    const undo = watchHands();
    const then = vi.fn();
    whenIdle(300_000, then);
    vi.advanceTimersByTime(200_000);
    window.dispatchEvent(new Event('keydown'));
    vi.advanceTimersByTime(299_000);
    expect(then).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(then).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(900_000);
    expect(then).toHaveBeenCalledOnce();
    undo();
  });

  it('counts what is done in another tab, but not what lies in the future', () => {
    const undo = watchHands();
    const then = vi.fn();
    whenIdle(300_000, then);
    vi.advanceTimersByTime(250_000);
    localStorage.setItem('oriel.active-at', String(Date.now()));
    vi.advanceTimersByTime(290_000);
    expect(then).not.toHaveBeenCalled();
    localStorage.setItem('oriel.active-at', String(Date.now() + 10 ** 9));
    vi.advanceTimersByTime(320_000);
    expect(then).toHaveBeenCalledOnce();
    undo();
  });
});
