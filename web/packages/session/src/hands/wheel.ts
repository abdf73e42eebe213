/** Collects small movements of a wheel or touchpad into whole notches, which every host understands. */

/** Units of one notch [MS-RDPBCGR 2.2.8.1.1.3.1.1.3]. */
const NOTCH_UNITS = 120;
/** CSS pixels that browsers report for one notch of a common mouse. */
const NOTCH_PIXELS = 100;
const LINES_PER_NOTCH = 3;
/** One event may not turn the wheel further than this; a flung touchpad reports thousands of pixels. */
const MAX_NOTCHES = 10;

export class Wheel {
  #rest = { x: 0, y: 0 };

  /** Returns units to send for each axis; positive is up or left, as RDP has it. */
  turn(delta: { x: number; y: number }, mode: 'pixel' | 'line' | 'page'): { x: number; y: number } {
    return { x: this.#axis('x', delta.x, mode), y: this.#axis('y', delta.y, mode) };
  }

  #axis(axis: 'x' | 'y', delta: number, mode: 'pixel' | 'line' | 'page'): number {
    const notches =
      mode === 'pixel' ? delta / NOTCH_PIXELS : mode === 'line' ? delta / LINES_PER_NOTCH : delta * MAX_NOTCHES;
    const rest = this.#rest[axis];
    // Turning back starts anew instead of first undoing what was left over.
    const sum = Math.sign(rest) === -Math.sign(notches) ? notches : rest + notches;
    // A mouse that reports a little more than a notch must not be held back by rounding.
    const whole = Math.trunc(sum + Math.sign(sum) * 1e-6);
    this.#rest[axis] = sum - whole;
    return -clamp(whole, MAX_NOTCHES) * NOTCH_UNITS || 0;
  }
}

const clamp = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));

/** One wheel message carries at most 255 units, so more than a notch goes as several. */
export function notches(units: number): number[] {
  return Array.from({ length: Math.abs(units) / NOTCH_UNITS }, () => Math.sign(units) * NOTCH_UNITS);
}
