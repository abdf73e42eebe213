/**
 * When a hand was last at one of the portal's tabs, sessions included: what counts for signing out those
 * who do nothing. Kept in local storage, so that every tab knows of the others.
 */
const KEY = 'oriel.active-at';
/** Nobody is signed out to the second, and writing at every move of the mouse would be waste. */
const NOTE_EVERY_MS = 10_000;
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;

let own = Date.now();
let noted = 0;

function note(): void {
  own = Date.now();
  if (own - noted < NOTE_EVERY_MS) return;
  noted = own;
  try {
    localStorage.setItem(KEY, String(own));
  } catch {
    // No storage in this browser mode: only this tab counts.
  }
}

/** ms since the epoch. */
export function lastActive(): number {
  let others = 0;
  try {
    others = Number(localStorage.getItem(KEY) ?? 0);
  } catch {
    // As above.
  }
  // A clock that was put back must not keep anybody signed in for years.
  return Math.max(own, Number.isFinite(others) && others <= Date.now() ? others : 0);
}

/** Watches this tab's hands. Returns what undoes it. */
export function watchHands(): () => void {
  note();
  for (const sign of SIGNS) window.addEventListener(sign, note, { capture: true, passive: true });
  return () => {
    for (const sign of SIGNS) window.removeEventListener(sign, note, { capture: true });
  };
}

/** Calls back once when nobody has done anything for so long. Returns what undoes it. */
export function whenIdle(afterMs: number, then: () => void): () => void {
  let timer: number;
  const look = () => {
    const left = lastActive() + afterMs - Date.now();
    if (left <= 0) then();
    else timer = window.setTimeout(look, Math.min(left + 100, 60_000));
  };
  look();
  return () => window.clearTimeout(timer);
}
