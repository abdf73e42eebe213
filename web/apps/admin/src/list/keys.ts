/** The rows of a list by keys: up and down, to both ends, and no focus is lost where rows go out of sight. */
import { useEffect, useRef } from 'react';

/** How often a row is looked for that is about to be drawn: frames of a screen. */
const FRAMES_MAX = 30;
const FOCUSABLE = 'a[href], button, input';

/** From row to row; null: the key is none of them. */
export function nextRow(key: string, row: number, last: number, page: number): number | null {
  const steps: Record<string, number> = { ArrowDown: row + 1, ArrowUp: row - 1, PageDown: row + page, PageUp: row - page, Home: 0, End: last };
  const to = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return to === undefined ? null : Math.min(last, Math.max(0, to));
}

/** @param count of all rows, drawn or not @param rowPx the height of each, and of the head */
export function useRowKeys(frame: HTMLElement | null, count: number, rowPx: number): void {
  /** Where the focus is or was last: the row, and the cell in it; and whether it is in the list. */
  const place = useRef({ row: 0, cell: 0, isWithin: false });
  useEffect(() => {
    if (frame === null) return;
    const at = place.current;
    const onFocus = ({ target }: FocusEvent) => {
      const row = target instanceof Element ? target.closest('tbody tr[aria-rowindex]') : null;
      at.isWithin = true;
      if (row === null) return;
      at.row = Number(row.getAttribute('aria-rowindex')) - 2;
      at.cell = [...row.children].findIndex((cell) => cell.contains(target as Node));
    };
    const onBlur = ({ relatedTarget }: FocusEvent) => {
      // A row that is taken away gives the focus to nothing at all.
      at.isWithin &&= relatedTarget === null;
    };
    const onScroll = () => {
      if (at.isWithin && document.activeElement === document.body) frame.focus({ preventScroll: true });
    };
    const onPress = ({ target }: PointerEvent) => {
      if (!(target instanceof Node) || !frame.contains(target)) at.isWithin = false;
    };
    const focus = (row: number, cell: number, frames: number) => {
      const drawn = frame.querySelector(`tbody tr[aria-rowindex="${row + 2}"]`);
      const found = drawn?.children[cell]?.querySelector<HTMLElement>(FOCUSABLE) ?? drawn?.querySelector<HTMLElement>(FOCUSABLE);
      if (found) found.focus();
      else if (frames > 0) requestAnimationFrame(() => focus(row, cell, frames - 1));
    };
    const onKey = (event: KeyboardEvent) => {
      const isRow = event.target === frame || (event.target instanceof Element && event.target.closest('tbody tr') !== null);
      if (!isRow || event.ctrlKey || event.metaKey || event.altKey) return;
      const seen = Math.max(1, Math.floor(frame.clientHeight / rowPx) - 2);
      const row = nextRow(event.key, at.row, count - 1, seen);
      if (row === null) return;
      event.preventDefault();
      const top = row * rowPx;
      // The head stays above the rows.
      if (top < frame.scrollTop) frame.scrollTop = top;
      else if (top + 2 * rowPx > frame.scrollTop + frame.clientHeight) frame.scrollTop = top + 2 * rowPx - frame.clientHeight;
      at.row = row;
      focus(row, at.cell, FRAMES_MAX);
    };

    frame.addEventListener('focusin', onFocus);
    frame.addEventListener('focusout', onBlur);
    frame.addEventListener('scroll', onScroll, { passive: true });
    frame.addEventListener('keydown', onKey);
    document.addEventListener('pointerdown', onPress);
    return () => {
      frame.removeEventListener('focusin', onFocus);
      frame.removeEventListener('focusout', onBlur);
      frame.removeEventListener('scroll', onScroll);
      frame.removeEventListener('keydown', onKey);
      document.removeEventListener('pointerdown', onPress);
    };
  }, [frame, count, rowPx]);
}
