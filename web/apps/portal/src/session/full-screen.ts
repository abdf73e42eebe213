/** Full screen of the whole page. Asked of the document each time: the toolbar comes and goes with the connection. */
import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  document.addEventListener('fullscreenchange', listener);
  return () => document.removeEventListener('fullscreenchange', listener);
}

export const useFullScreen = (): boolean => useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);

export async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // The browser says no, as some do in a private window: the page stays as it is.
  }
}

/** Browsers open the whole screen only to a hand: the first click or key in the session does it. Returns what undoes it. */
export function fullScreenAtNextTouch(): () => void {
  const stop = new AbortController();
  const open = () => {
    stop.abort();
    if (!document.fullscreenElement) void toggleFullScreen();
  };
  for (const sign of ['pointerup', 'keydown']) {
    window.addEventListener(sign, open, { capture: true, signal: stop.signal });
  }
  // The tab may still have a hand's leave from the click that opened it.
  if (navigator.userActivation?.isActive) open();
  return () => stop.abort();
}
