/**
 * Keys, from a text field that holds the focus while the user works in the session. The field is
 * there for what a bare canvas cannot have: paste without asking, on-screen keyboards and input
 * methods.
 */
import type { Input, Locks } from '../remote-session.ts';
import { scancodeOf } from './scancodes.ts';
import type { Target } from './target.ts';
import { inputsOfTyping } from './typing.ts';

export interface KeyboardOptions {
  /** On a Mac the Command key does what Control does elsewhere. */
  mac: boolean;
  /** Text was pasted. Returns true if it was news and is on its way to the host. */
  paste(text: string): boolean;
  mayPaste(): boolean;
  /** The user pressed the keys that lead out of the session: Ctrl+Alt+Shift. */
  leave(): void;
}

/** On-screen keyboards only report backspace when there is something before the cursor. */
const FILLER = ' '.repeat(16);
/** A paste event follows its key at once; without one the key itself is sent. */
const PASTE_WAIT_MS = 60;
/**
 * New text goes ahead of the key that pastes it, but to another program of the host, which must
 * announce it before anybody there may ask for it. Keys wait this long for that.
 */
const OFFER_WAIT_MS = 200;

/** Windows says that Control goes down with AltGr, and says so just before. Nobody's fingers are as fast. */
const ALTGR_CONTROL_MS = 10;

/**
 * Now and then browsers keep the end of a modifier to themselves: Chromium does while a dead key
 * waits for its letter. Every key tells which ones are held, and on a Mac Command stands for Control.
 */
const MODIFIERS: [isHeld: (event: KeyboardEvent) => boolean, codes: string[]][] = [
  [(event) => event.shiftKey, ['ShiftLeft', 'ShiftRight']],
  [(event) => event.ctrlKey || event.metaKey, ['ControlLeft', 'ControlRight']],
  [(event) => event.altKey || event.getModifierState('AltGraph'), ['AltLeft', 'AltRight']],
  [(event) => event.metaKey, ['MetaLeft', 'MetaRight']],
];

/** What the field shows for a dead key until the letter comes. */
const ACCENT = /^[`^~´¨¯¸°·˘˙˚˛˝ˇ'"]$/;

const CONTROL = scancodeOf('ControlLeft') ?? 0;
const LOCK_KEYS = new Set(['CapsLock', 'NumLock', 'ScrollLock', 'KanaMode']);

export function attachKeyboard(
  field: HTMLTextAreaElement,
  target: Target,
  options: KeyboardOptions,
): () => void {
  const held = new Set<number>();
  let locks: string | undefined;
  let shown = FILLER;
  /** The key that an input method has taken, whatever for. */
  let taken: number | undefined;
  /** It was a dead key: the host makes accents by itself, from the same keys. */
  let isDead = false;
  /** When Control last went down. */
  let controlAt = -Infinity;
  /** Keys that wait for the clipboard, in order. */
  let waiting: { keys: { scancode: number; down: boolean }[]; timer: number } | undefined;

  const refill = () => {
    isDead = false;
    field.value = shown = FILLER;
    field.setSelectionRange(FILLER.length, FILLER.length);
  };

  const press = (scancode: number, down: boolean) => {
    if (waiting) {
      waiting.keys.push({ scancode, down });
      return;
    }
    if (down) held.add(scancode);
    else if (!held.delete(scancode)) return;
    target.send([{ type: 'key', scancode, down }]);
  };

  const letGo = () => {
    goOn();
    held.clear();
    target.release();
  };

  const syncLocks = (event: KeyboardEvent) => {
    const now: Locks = {
      scroll: event.getModifierState('ScrollLock'),
      num: event.getModifierState('NumLock'),
      caps: event.getModifierState('CapsLock'),
      kana: event.getModifierState('KanaMode'),
    };
    const key = JSON.stringify(now);
    if (key !== locks) target.setLocks(now);
    locks = key;
  };

  const scancode = (event: KeyboardEvent): number | undefined => {
    if (options.mac && event.code.startsWith('Meta')) return scancodeOf('ControlLeft');
    // Some keyboards have AltGr at a place that has no name.
    return scancodeOf(event.code === '' && event.key === 'AltGraph' ? 'AltRight' : event.code);
  };

  const freeModifiers = (event: KeyboardEvent, key: number) => {
    for (const [isHeld, codes] of MODIFIERS) {
      if (isHeld(event)) continue;
      for (const code of codes.map(scancodeOf)) if (code !== undefined && code !== key && held.has(code)) press(code, false);
    }
  };

  const isPasteKey = (event: KeyboardEvent) =>
    (event.code === 'KeyV' && (options.mac ? event.metaKey : event.ctrlKey) && !event.altKey) ||
    (event.code === 'Insert' && event.shiftKey && !event.ctrlKey);

  const wait = (ms: number) => {
    window.clearTimeout(waiting?.timer);
    waiting = { keys: waiting?.keys ?? [], timer: window.setTimeout(goOn, ms) };
  };

  const goOn = () => {
    window.clearTimeout(waiting?.timer);
    const keys = waiting?.keys ?? [];
    waiting = undefined;
    for (const key of keys) press(key.scancode, key.down);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const key = scancode(event);
    if (!isDead && (event.isComposing || event.keyCode === 229)) {
      taken = key;
      return;
    }
    // A key without a place on the keyboard types its character into the field; see `onInput`.
    if (key === undefined) return;
    if (isWayOut(event)) {
      event.preventDefault();
      letGo();
      options.leave();
      return;
    }
    if (isPasteKey(event) && !event.repeat && options.mayPaste()) {
      // Not prevented: the browser answers this key with a paste event.
      wait(PASTE_WAIT_MS);
      press(key, true);
      return;
    }
    event.preventDefault();
    if (event.code === 'ControlLeft') controlAt = event.timeStamp;
    // With Control held as well, AltGr and Q would be a command and not an @.
    if (event.key === 'AltGraph' && event.timeStamp - controlAt <= ALTGR_CONTROL_MS) press(CONTROL, false);
    freeModifiers(event, key);
    if (LOCK_KEYS.has(event.code)) locks = undefined;
    else syncLocks(event);
    press(key, true);
  };

  const onKeyUp = (event: KeyboardEvent) => {
    const key = scancode(event);
    if (key === undefined) return;
    event.preventDefault();
    press(key, false);
    // macOS reports no key-up for keys that were let go while Command was held.
    if (options.mac && event.code.startsWith('Meta')) letGo();
  };

  const onPaste = (event: ClipboardEvent) => {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    const isNews = text !== '' && options.paste(text);
    if (isNews && waiting) wait(OFFER_WAIT_MS);
    else goOn();
  };

  const onCompose = (event: CompositionEvent) => {
    if (!isDead && taken !== undefined && ACCENT.test(event.data)) {
      isDead = true;
      press(taken, true);
    }
    taken = undefined;
  };

  const onInput = (event: Event) => {
    if (isDead) return;
    const inputs: Input[] = inputsOfTyping(shown, field.value);
    shown = field.value;
    target.send(inputs);
    if (!(event as InputEvent).isComposing) refill();
  };

  const onBlur = () => {
    letGo();
    locks = undefined;
  };

  field.addEventListener('keydown', onKeyDown);
  field.addEventListener('keyup', onKeyUp);
  field.addEventListener('paste', onPaste);
  field.addEventListener('input', onInput);
  field.addEventListener('compositionupdate', onCompose);
  field.addEventListener('compositionend', refill);
  field.addEventListener('focus', refill);
  field.addEventListener('blur', onBlur);
  refill();
  return () => {
    window.clearTimeout(waiting?.timer);
    field.removeEventListener('keydown', onKeyDown);
    field.removeEventListener('keyup', onKeyUp);
    field.removeEventListener('paste', onPaste);
    field.removeEventListener('input', onInput);
    field.removeEventListener('compositionupdate', onCompose);
    field.removeEventListener('compositionend', refill);
    field.removeEventListener('focus', refill);
    field.removeEventListener('blur', onBlur);
  };
}

/** AltGr looks like Ctrl+Alt on Windows, and AltGr+Shift types characters. */
const isWayOut = (event: KeyboardEvent): boolean =>
  event.ctrlKey &&
  event.altKey &&
  event.shiftKey &&
  !event.getModifierState('AltGraph') &&
  /^(Control|Alt|Shift)/.test(event.code);
