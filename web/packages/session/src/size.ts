import type { Size } from './remote-session.ts';

/** RDP allows 200 to 8192 [MS-RDPEDISP 2.2.2.2.1]; xrdp needs a width that divides by four. */
const SMALLEST = 200;
const LARGEST = 8192;
const WIDTH_STEP = 4;
const HEIGHT_STEP = 2;

/** Below this width programs made for a desk are unusable; the picture is made smaller instead. */
const USABLE_WIDTH = 640;

/** The desktop size for an area of the page, both in CSS pixels. Keeps the area's shape. */
export function desktopSize(area: Size): Size {
  const zoom = area.width > 0 && area.width < USABLE_WIDTH ? USABLE_WIDTH / area.width : 1;
  return {
    width: clampTo(area.width * zoom, WIDTH_STEP),
    height: clampTo(area.height * zoom, HEIGHT_STEP),
  };
}

export const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

function clampTo(length: number, step: number): number {
  const steps = Math.floor(length / step) * step;
  return Math.min(LARGEST, Math.max(SMALLEST, steps || SMALLEST));
}
