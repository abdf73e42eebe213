/** Mouse, pen and touch on the picture. */
import type { Input } from '../remote-session.ts';
import type { Target } from './target.ts';
import { HOLD_MS, TouchGestures, type Gesture, type Point } from './touch.ts';
import { Wheel, notches } from './wheel.ts';

export interface PointerOptions {
  /** The picture of the moment. */
  canvas(): HTMLCanvasElement | null;
  /** Called before a press, so that keys go to the session too. */
  focus(kind: 'mouse' | 'touch'): void;
}

export function attachPointer(surface: HTMLElement, target: Target, options: PointerOptions): () => void {
  const touch = new TouchGestures();
  const wheel = new Wheel();
  let holdTimer: number | undefined;

  const place = (point: Point): Point | null => {
    const canvas = options.canvas();
    const box = canvas?.getBoundingClientRect();
    if (!canvas || !box || box.width === 0 || box.height === 0) return null;
    return {
      x: within(((point.x - box.left) * canvas.width) / box.width, canvas.width),
      y: within(((point.y - box.top) * canvas.height) / box.height, canvas.height),
    };
  };

  const send = (at: Point, ...inputs: Input[]) => {
    const pixel = place(at);
    if (pixel) target.send([{ type: 'move', ...pixel }, ...inputs]);
  };

  const turn = (at: Point, delta: Point, mode: 'pixel' | 'line' | 'page') => {
    const units = wheel.turn(delta, mode);
    const inputs = [
      ...notches(units.y).map((each): Input => ({ type: 'wheel', vertical: true, units: each })),
      ...notches(units.x).map((each): Input => ({ type: 'wheel', vertical: false, units: each })),
    ];
    if (inputs.length > 0) send(at, ...inputs);
  };

  const carryOut = (gestures: Gesture[]) => {
    for (const gesture of gestures) {
      switch (gesture.type) {
        case 'click':
          options.focus('touch');
          send(gesture.at, button(gesture.button, true), button(gesture.button, false));
          if (gesture.button === 2) navigator.vibrate?.(10);
          break;
        case 'press':
          options.focus('touch');
          send(gesture.at, button(0, true));
          break;
        case 'drag':
          send(gesture.at);
          break;
        case 'release':
          send(gesture.at, button(0, false));
          break;
        case 'scroll':
          turn(gesture.at, { x: -gesture.dx, y: -gesture.dy }, 'pixel');
          break;
      }
    }
  };

  const onDown = (event: PointerEvent) => {
    event.preventDefault();
    if (event.pointerType === 'touch') {
      carryOut(touch.down(event.pointerId, pointOf(event), event.timeStamp));
      window.clearTimeout(holdTimer);
      const due = event.timeStamp + HOLD_MS;
      holdTimer = window.setTimeout(() => carryOut(touch.tick(due)), HOLD_MS);
      return;
    }
    options.focus('mouse');
    // A drag that leaves the window goes on, and its release is not missed.
    surface.setPointerCapture(event.pointerId);
    send(pointOf(event), button(event.button, true));
  };

  const onMove = (event: PointerEvent) => {
    if (event.pointerType === 'touch') {
      carryOut(touch.move(event.pointerId, pointOf(event)));
    } else if (event.button >= 0) {
      // A further button that goes down or up while one is held arrives as a move.
      send(pointOf(event), button(event.button, (event.buttons & maskOf(event.button)) !== 0));
    } else {
      send(pointOf(event));
    }
  };

  const onUp = (event: PointerEvent) => {
    if (event.pointerType === 'touch') carryOut(touch.up(event.pointerId));
    else send(pointOf(event), button(event.button, false));
  };

  const onCancel = (event: PointerEvent) => {
    if (event.pointerType === 'touch') carryOut(touch.cancel(event.pointerId));
    else target.release();
  };

  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    const mode = event.deltaMode === 0 ? 'pixel' : event.deltaMode === 1 ? 'line' : 'page';
    turn(pointOf(event), { x: event.deltaX, y: event.deltaY }, mode);
  };

  const stop = (event: Event) => event.preventDefault();

  surface.addEventListener('pointerdown', onDown);
  surface.addEventListener('pointermove', onMove);
  surface.addEventListener('pointerup', onUp);
  surface.addEventListener('pointercancel', onCancel);
  surface.addEventListener('wheel', onWheel, { passive: false });
  surface.addEventListener('contextmenu', stop);
  // Keeps the focus where the keys are read.
  surface.addEventListener('mousedown', stop);
  surface.addEventListener('dragstart', stop);
  return () => {
    window.clearTimeout(holdTimer);
    surface.removeEventListener('pointerdown', onDown);
    surface.removeEventListener('pointermove', onMove);
    surface.removeEventListener('pointerup', onUp);
    surface.removeEventListener('pointercancel', onCancel);
    surface.removeEventListener('wheel', onWheel);
    surface.removeEventListener('contextmenu', stop);
    surface.removeEventListener('mousedown', stop);
    surface.removeEventListener('dragstart', stop);
  };
}

const pointOf = (event: MouseEvent): Point => ({ x: event.clientX, y: event.clientY });
const button = (id: number, down: boolean): Input => ({ type: 'button', button: id, down });
const within = (value: number, length: number): number => Math.max(0, Math.min(length - 1, Math.round(value)));

/** The bit of `PointerEvent.buttons` for a `PointerEvent.button`. */
const maskOf = (id: number): number => [1, 4, 2, 8, 16][id] ?? 0;
