/**
 * A screen with a real keyboard and a browser on it, for what a browser without a window has not got:
 * keys as the system reports them, in a layout of its own, and full screen.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chromium, expect, type Browser, type Page } from '@playwright/test';
import config from './playwright.config.ts';

export const SCREEN = { width: 1600, height: 1000 };

export class Desk {
  readonly browser: Browser;
  readonly #parts: ChildProcess[];
  readonly #env: Record<string, string>;

  private constructor(browser: Browser, parts: ChildProcess[], env: Record<string, string>) {
    this.browser = browser;
    this.#parts = parts;
    this.#env = env;
  }

  /** @param layout as `setxkbmap` calls it */
  static async open(layout: string): Promise<Desk> {
    const screen = ['-screen', '0', `${SCREEN.width}x${SCREEN.height}x24`];
    // Without -noreset the layout goes with the first client that leaves.
    const server = spawn('Xvfb', ['-displayfd', '3', '-noreset', '-nolisten', 'tcp', ...screen], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const parts: ChildProcess[] = [server];
    try {
      const told = server.stdio[3];
      if (!told) throw new Error('Xvfb has no descriptor 3.');
      const [number] = (await once(told, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
      const env = { ...(process.env as Record<string, string>), DISPLAY: `:${String(number).trim()}` };
      execFileSync('setxkbmap', [layout], { env });
      parts.push(spawn('openbox', [], { env, stdio: 'ignore' }));
      const browser = await chromium.launch({ ...config.use?.launchOptions, headless: false, env });
      return new Desk(browser, parts, env);
    } catch (error) {
      for (const part of parts) part.kill();
      throw error;
    }
  }

  /** Presses keys by their X key codes, one after the other, and lets go in reverse. */
  press(...keys: number[]): void {
    // With one digit, xdotool would take it for the character.
    const named = keys.map((key) => String(key).padStart(3, '0'));
    const words = [...named.flatMap((key) => ['keydown', key]), ...named.toReversed().flatMap((key) => ['keyup', key])];
    execFileSync('xdotool', words, { env: this.#env });
  }

  /** Lets the page's window fill the screen, or not any more: what desktops do on a page's wish, but not for a browser under test. */
  async fill(page: Page, whole: boolean): Promise<void> {
    const protocol = await page.context().newCDPSession(page);
    const { windowId } = await protocol.send('Browser.getWindowForTarget');
    await protocol.send('Browser.setWindowBounds', { windowId, bounds: { windowState: whole ? 'fullscreen' : 'normal' } });
    await protocol.detach();
    if (whole) await expect.poll(() => page.evaluate(() => [innerWidth, innerHeight])).toEqual([SCREEN.width, SCREEN.height]);
  }

  async close(): Promise<void> {
    await this.browser.close();
    for (const part of this.#parts.toReversed()) part.kill();
  }
}
