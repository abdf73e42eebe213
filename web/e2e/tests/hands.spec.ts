import type { CDPSession, Page } from '@playwright/test';
import { readDemo } from '../demo.ts';
import { Desk, SCREEN } from '../desk.ts';
import { Portal, complaintsIn, expect, picture, test, type Session } from '../farm.ts';

test.describe('fingers', () => {
  test.use({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    permissions: ['clipboard-read', 'clipboard-write'],
  });

  test('tap, hold, drag and scroll do what a mouse does', async ({ portal, anna }) => {
    await portal.signIn(anna);
    const editor = await portal.open('Text Editor');
    await editor.ready();
    const fingers = await Fingers.on(editor.page);

    // Far more lines than the window shows, each with its number.
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index + 1}`);
    await editor.page.evaluate((text) => navigator.clipboard.writeText(text), lines.join('\n'));
    await editor.see('the lines', () => editor.press('Control+V'), 0.001);
    await editor.press('Control+Home');
    await editor.settled();
    const row = await rows(editor);

    // A tap at the beginning of the third row puts the caret there.
    await fingers.tap(row.left, row.middle(3));
    await editor.settled();
    await editor.type('tapped ');
    lines[2] = `tapped ${lines[2]}`;

    // A drag from the fifth row to the eighth selects what lies between.
    await fingers.drag([row.left, row.middle(5)], [row.left, row.middle(8)]);
    await editor.settled();
    await editor.type('dragged ');
    lines.splice(4, 4, `dragged ${lines[7]}`);

    // Holding opens the menu of the right button, where the caret is taken from.
    await fingers.tap(row.left, row.middle(2));
    await editor.settled();
    await editor.see('the menu', () => fingers.down(row.left, row.middle(2)));
    await fingers.up();
    await picture(editor.page, 'touch-menu');
    await editor.see('the menu goes', () => editor.press('Escape'));

    // Two fingers that move up turn the wheel, and later lines come: the tap hits one of them.
    await editor.see('it scrolls', () => fingers.scroll(row.left + 100, 600, -400));
    await fingers.tap(row.left, row.middle(4));
    await editor.settled();
    await editor.type('scrolled ');
    await picture(editor.page, 'touch-scrolled');
    await editor.press('Control+A');
    await editor.press('Control+C');
    const text = () => editor.page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(text, { message: 'the text in the editor' }).toContain('scrolled ');
    const found = (await text()).split('\n').findIndex((line) => line.startsWith('scrolled '));
    expect(found, 'the line that was tapped after scrolling').toBeGreaterThan(6);
    lines[found] = `scrolled ${lines[found]}`;
    await editor.save(anna, lines.join('\n'));
  });

  test('the on-screen keyboard comes and goes with its button only', async ({ portal, anna }) => {
    await portal.signIn(anna);
    const editor = await portal.open('Text Editor');
    await editor.ready();
    const fingers = await Fingers.on(editor.page);
    const keys = editor.page.getByTestId('keys');
    await fingers.tap(100, 400);
    await expect(keys).toBeFocused();
    await expect(keys).toHaveAttribute('inputmode', 'none');
    await editor.page.getByTestId('toolbar-handle').tap();
    await editor.page.getByRole('button', { name: 'On-screen keyboard' }).tap();
    await expect(keys).toHaveAttribute('inputmode', 'text');
    await expect(keys).toBeFocused();
    // Such a keyboard has no keys: it changes the text in the field.
    await editor.see('what is typed', () => editor.page.keyboard.insertText('typed on glass'), 0.0005);
    await editor.save(anna, 'typed on glass');
  });
});

test.describe('at a desk', () => {
  test('full screen fills the screen with the session, and keys go on', async ({ anna, administrator: _ }) => {
    // Every new size takes a new connection.
    test.slow();
    await atDesk('us', 'en-US', async ({ desk, portal }) => {
      await portal.signIn(anna);
      const editor = await portal.open('Text Editor');
      await editor.ready();
      const { page } = editor;
      const size = () => page.locator('[data-testid=stage] canvas').last().evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height]);
      const isFull = () => page.evaluate(() => document.fullscreenElement !== null);
      const small = await size();
      await page.evaluate(() => {
        const seen = { locks: 0 };
        Object.assign(window, { seen });
        const { keyboard } = navigator as unknown as { keyboard: { lock(): Promise<void>; unlock(): void } };
        const [lock, unlock] = [keyboard.lock.bind(keyboard), keyboard.unlock.bind(keyboard)];
        keyboard.lock = () => lock().then(() => void (seen.locks += 1));
        keyboard.unlock = () => (unlock(), void (seen.locks = 0));
      });
      const locks = () => page.evaluate(() => (window as unknown as { seen: { locks: number } }).seen.locks);
      const toggle = async () => {
        const handle = page.getByTestId('toolbar-handle');
        if ((await handle.getAttribute('aria-expanded')) === 'false') await handle.click();
        await page.getByTestId('full-screen').click();
      };
      const enter = async () => {
        await toggle();
        await expect.poll(isFull).toBe(true);
        await desk.fill(page, true);
        await expect.poll(size, { message: 'the size of the session' }).toEqual([SCREEN.width, SCREEN.height]);
        await editor.settled();
        // Once more after the new size, which takes a new connection.
        expect(await locks()).toBeGreaterThan(0);
        await expect(page.getByTestId('keys')).toBeFocused();
      };
      const left = async () => {
        await expect.poll(isFull).toBe(false);
        await desk.fill(page, false);
        await expect.poll(size, { message: 'the size of the session' }).toEqual(small);
        await editor.settled();
        expect(await locks()).toBe(0);
      };

      await enter();
      await picture(page, 'full-screen');
      await editor.see('what is typed', () => editor.type('written in full screen'), 0.0001);
      // The lock gives Escape to the program: it closes its dialog, and the screen stays full.
      await editor.see('the dialog to save', () => editor.press('Control+S'));
      await editor.see('the dialog goes', async () => desk.press(ESCAPE));
      expect(await isFull()).toBe(true);
      await toggle();
      await left();
      await enter();
      await editor.see('what is typed', () => editor.type(', twice'), 0.0001);
      await toggle();
      await left();
      await editor.save(anna, 'written in full screen, twice');
    });
  });

  test('a German keyboard types what is printed on it', async ({ anna, administrator: _ }) => {
    await atDesk('de', 'de-DE', async ({ desk, portal }) => {
      await portal.signIn(anna);
      await expect(portal.page.getByTestId('tab-programs')).toHaveText('Programme');
      const editor = await portal.open('Text Editor');
      await editor.ready();
      await editor.see('what is typed', async () => GERMAN.forEach(({ keys }) => desk.press(...keys)), 0.0005);
      await editor.save(anna, GERMAN.map(({ text }) => text).join(''));
    });
  });
});

test('a layout that was chosen holds, and AltGr as Windows reports it', async ({ portal, anna }) => {
  await portal.signIn(anna);
  await portal.page.getByTestId('user-menu').click();
  await portal.page.getByTestId('open-settings').click();
  await portal.page.getByTestId('layout').click();
  await portal.page.getByRole('option', { name: 'Deutsch', exact: true }).click();
  await portal.page.keyboard.press('Escape');
  const editor = await portal.open('Text Editor');
  await editor.ready();
  const protocol = await editor.page.context().newCDPSession(editor.page);
  const at = Date.now() / 1000;
  const key = (type: 'keyDown' | 'keyUp', code: string, name: string, modifiers: number) =>
    protocol.send('Input.dispatchKeyEvent', { type, code, key: name, modifiers, timestamp: at });
  const CONTROL = 2;
  const BOTH = 3;
  const type = async () => {
    await editor.type('y');
    for (const [code, name] of [['KeyQ', '@'], ['KeyE', '€'], ['Digit7', '{'], ['Digit0', '}']] as const) {
      await key('keyDown', 'ControlLeft', 'Control', CONTROL);
      await key('keyDown', 'AltRight', 'AltGraph', BOTH);
      await key('keyDown', code, name, BOTH);
      await key('keyUp', code, name, BOTH);
      await key('keyUp', 'ControlLeft', 'Control', 1);
      await key('keyUp', 'AltRight', 'AltGraph', 0);
    }
    await editor.type('z');
  };
  await editor.see('what is typed', type, 0.0001);
  await editor.save(anna, 'z@€{}y');
});

const ESCAPE = 9;
const SHIFT = 50;
const ALT_GR = 108;

/** What keys of a German keyboard type, by their X key codes. */
const GERMAN: { text: string; keys: number[] }[] = [
  ['z', 29], ['y', 52], ['Z', SHIFT, 29], ['Y', SHIFT, 52], [' ', 65],
  ['ä', 48], ['ö', 47], ['ü', 34], ['ß', 20], ['Ä', SHIFT, 48], ['Ö', SHIFT, 47], ['Ü', SHIFT, 34],
  ['@', ALT_GR, 24], ['€', ALT_GR, 26], ['{', ALT_GR, 16], ['}', ALT_GR, 19], ['[', ALT_GR, 17], [']', ALT_GR, 18],
  ['\\', ALT_GR, 20], ['|', ALT_GR, 94], ['~', ALT_GR, 35],
  ['<', 94], ['>', SHIFT, 94], ['#', 51], ["'", SHIFT, 51], ['+', 35], ['-', 61], ['_', SHIFT, 61], ['§', SHIFT, 12],
  // Dead keys: the accent comes with the letter that follows.
  ['', 21], ['é', 26], ['', SHIFT, 21], ['à', 38], ['', 49], ['ô', 32],
].map(([text, ...keys]) => ({ text: String(text), keys: keys as number[] }));

/** Works at a desk whose browser is of that language. */
async function atDesk(layout: string, locale: string, work: (at: { desk: Desk; portal: Portal }) => Promise<void>): Promise<void> {
  const desk = await Desk.open(layout);
  try {
    const context = await desk.browser.newContext({ viewport: null, locale, baseURL: readDemo().portal, ignoreHTTPSErrors: true });
    const complaints = complaintsIn(context, false);
    await work({ desk, portal: new Portal(await context.newPage()) });
    expect(complaints, 'the console of the pages').toEqual([]);
  } finally {
    await desk.close();
  }
}

/** Where the editor's rows of text are on the page: found by the first rows of the picture that are not empty. */
async function rows(session: Session): Promise<{ left: number; middle(row: number): number }> {
  const place = await session.page.evaluate(() => {
    const canvas = [...document.querySelectorAll<HTMLCanvasElement>('[data-testid=stage] canvas')].at(-1);
    const context = canvas?.getContext('2d');
    if (!canvas || !context) throw new Error('there is no picture');
    const box = canvas.getBoundingClientRect();
    // Below the menu, a narrow column at the left holds only the first letters, "l", of each line.
    const column = context.getImageData(2, 0, 12, canvas.height).data;
    const isInked = (y: number) => Array.from({ length: 12 }, (_, x) => column[(y * 12 + x) * 4] ?? 255).some((value) => value < 120);
    const starts: number[] = [];
    for (let y = 28; y < canvas.height && starts.length < 12; y += 1) if (isInked(y) && !isInked(y - 1)) starts.push(y);
    return { starts, scale: box.width / canvas.width, left: box.left, top: box.top };
  });
  // The caret is in the first row, and taller than letters.
  const [, , third = 0, fourth = 0] = place.starts;
  const height = fourth - third;
  const first = third - 2 * height;
  const strays = place.starts.slice(1).map((start, index) => start - first - (index + 1) * height);
  expect(strays, 'rows of the text').toEqual(strays.map(() => 0));
  return {
    left: place.left + 4 * place.scale,
    middle: (row) => place.top + (first + (row - 1) * height + height / 3) * place.scale,
  };
}

/** Fingers on a page's glass. */
class Fingers {
  readonly #protocol: CDPSession;

  private constructor(protocol: CDPSession) {
    this.#protocol = protocol;
  }

  static async on(page: Page): Promise<Fingers> {
    return new Fingers(await page.context().newCDPSession(page));
  }

  async down(x: number, y: number): Promise<void> {
    await this.#touch('touchStart', [[x, y]]);
  }

  async up(): Promise<void> {
    await this.#touch('touchEnd', []);
  }

  async tap(x: number, y: number): Promise<void> {
    await this.down(x, y);
    await this.up();
  }

  async drag([fromX, fromY]: [number, number], [toX, toY]: [number, number]): Promise<void> {
    await this.#touch('touchStart', [[fromX, fromY]]);
    for (let step = 1; step <= 10; step += 1) {
      await this.#touch('touchMove', [[fromX + ((toX - fromX) * step) / 10, fromY + ((toY - fromY) * step) / 10]]);
    }
    await this.#touch('touchEnd', []);
  }

  /** Two fingers beside each other. */
  async scroll(x: number, y: number, by: number): Promise<void> {
    const both = (at: number): [number, number][] => [[x, at], [x + 60, at]];
    await this.#touch('touchStart', both(y));
    for (let step = 1; step <= 10; step += 1) await this.#touch('touchMove', both(y + (by * step) / 10));
    await this.#touch('touchEnd', []);
  }

  async #touch(type: 'touchStart' | 'touchMove' | 'touchEnd', points: [number, number][]): Promise<void> {
    await this.#protocol.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  }
}
