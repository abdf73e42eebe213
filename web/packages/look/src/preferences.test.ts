import { afterEach, describe, expect, it, vi } from 'vitest';
import { keep } from './preferences.ts';

interface Colours {
  frame: string;
}
const sound = (stored: Partial<Colours>): Colours => ({ frame: typeof stored.frame === 'string' ? stored.frame : 'green' });
const store = (content: string | null) => ({ getItem: () => content, setItem: vi.fn() });

describe('preferences', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([[null, 'green'], ['{"frame":"red"}', 'red'], ['{"frame":7}', 'green'], ['no JSON', 'green'], ['null', 'green'], ['"word"', 'green']])(
    'stored as %s are sound',
    (stored, frame) => {
      vi.stubGlobal('localStorage', store(stored));
      expect(keep('colours', sound).now()).toEqual({ frame });
    },
  );

  it('are stored, and whoever listens is told', () => {
    const storage = store(null);
    vi.stubGlobal('localStorage', storage);
    const kept = keep('colours', sound);
    const listener = vi.fn();
    const stop = kept.on(listener);
    kept.set({ frame: 'blue' });
    expect(storage.setItem).toHaveBeenCalledWith('colours', '{"frame":"blue"}');
    stop();
    kept.set({ frame: 'white' });
    expect(listener).toHaveBeenCalledTimes(1);
    expect(kept.now().frame).toBe('white');
  });

  it('hold without storage as long as the page is open', () => {
    const kept = keep('colours', sound);
    kept.set({ frame: 'blue' });
    expect(kept.now().frame).toBe('blue');
  });

  it('of another tab hold here, too', () => {
    let frame = 'red';
    const page = new EventTarget();
    vi.stubGlobal('window', page);
    vi.stubGlobal('localStorage', { getItem: () => JSON.stringify({ frame }) });
    const kept = keep('colours', sound);
    frame = 'blue';
    page.dispatchEvent(Object.assign(new Event('storage'), { key: 'something else' }));
    expect(kept.now().frame).toBe('red');
    page.dispatchEvent(Object.assign(new Event('storage'), { key: 'colours' }));
    expect(kept.now().frame).toBe('blue');
  });
});
