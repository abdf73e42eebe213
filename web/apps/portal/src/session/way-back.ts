/**
 * From a session page to the sign-in and back. Kept in this tab and not in the sign-in's address: an
 * address can be written by anybody.
 */
const KEY = 'oriel.way-back';

export function goSignIn(back: string): void {
  try {
    sessionStorage.setItem(KEY, back);
  } catch {
    // No storage in this browser mode: the portal comes after the sign-in.
  }
  location.replace('/?ended=1');
}

/** Where to go after the sign-in, once. */
export function takeWayBack(): string | null {
  try {
    const back = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return back;
  } catch {
    return null;
  }
}
