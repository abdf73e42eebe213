/**
 * Fingers, as a mouse would do it: tap is a click, holding is a right click, one finger drags,
 * two fingers scroll. A state machine without events or clock: points and the time go in, what
 * to do comes out.
 */

export interface Point {
  /** CSS pixels. */
  x: number;
  y: number;
}

export type Gesture =
  | { type: 'click'; button: 0 | 2; at: Point }
  | { type: 'press'; at: Point }
  | { type: 'drag'; at: Point }
  | { type: 'release'; at: Point }
  /** How far the content should move; positive y means that the fingers moved down. */
  | { type: 'scroll'; at: Point; dx: number; dy: number };

/** A finger is not a point: it may wander this far and still be a tap. CSS pixels. */
export const SLOP = 10;
/** How long a finger rests before it means a right click; what Android and iOS use. */
export const HOLD_MS = 500;

type State =
  | { name: 'idle' }
  | { name: 'resting'; finger: number; start: Point; since: number }
  | { name: 'dragging'; finger: number }
  | { name: 'scrolling'; last: Point }
  /** Waits until every finger has gone. */
  | { name: 'spent' };

export class TouchGestures {
  #fingers = new Map<number, Point>();
  #state: State = { name: 'idle' };

  down(finger: number, at: Point, nowMs: number): Gesture[] {
    this.#fingers.set(finger, at);
    const state = this.#state;
    if (this.#fingers.size === 1) {
      this.#state = { name: 'resting', finger, start: at, since: nowMs };
      return [];
    }
    if (this.#fingers.size === 2 && state.name !== 'spent') {
      this.#state = { name: 'scrolling', last: this.#middle() };
      return state.name === 'dragging' ? [{ type: 'release', at }] : [];
    }
    this.#state = { name: 'spent' };
    return [];
  }

  move(finger: number, at: Point): Gesture[] {
    if (!this.#fingers.has(finger)) return [];
    this.#fingers.set(finger, at);
    const state = this.#state;
    switch (state.name) {
      case 'resting': {
        if (distance(state.start, at) <= SLOP) return [];
        this.#state = { name: 'dragging', finger };
        return [
          { type: 'press', at: state.start },
          { type: 'drag', at },
        ];
      }
      case 'dragging':
        return finger === state.finger ? [{ type: 'drag', at }] : [];
      case 'scrolling': {
        const middle = this.#middle();
        const gesture: Gesture = {
          type: 'scroll',
          at: middle,
          dx: middle.x - state.last.x,
          dy: middle.y - state.last.y,
        };
        this.#state = { name: 'scrolling', last: middle };
        return [gesture];
      }
      default:
        return [];
    }
  }

  up(finger: number): Gesture[] {
    const at = this.#fingers.get(finger);
    if (!at) return [];
    this.#fingers.delete(finger);
    const state = this.#state;
    this.#state = this.#fingers.size === 0 ? { name: 'idle' } : { name: 'spent' };
    if (state.name === 'resting') return [{ type: 'click', button: 0, at: state.start }];
    if (state.name === 'dragging') return [{ type: 'release', at }];
    return [];
  }

  /** The browser took the finger away; nothing may be clicked. */
  cancel(finger: number): Gesture[] {
    const state = this.#state;
    const gestures = this.up(finger);
    return state.name === 'dragging' ? gestures : [];
  }

  /** To be called when `HOLD_MS` have passed since the last `down`. */
  tick(nowMs: number): Gesture[] {
    const state = this.#state;
    if (state.name !== 'resting' || nowMs - state.since < HOLD_MS) return [];
    this.#state = { name: 'spent' };
    return [{ type: 'click', button: 2, at: state.start }];
  }

  #middle(): Point {
    const points = [...this.#fingers.values()].slice(0, 2);
    return {
      x: points.reduce((sum, point) => sum + point.x, 0) / points.length,
      y: points.reduce((sum, point) => sum + point.y, 0) / points.length,
    };
  }
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
