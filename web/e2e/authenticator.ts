/** What an administrator has on their telephone: a camera that reads QR codes, and an app that makes codes (RFC 6238). */
import { createHmac } from 'node:crypto';
import type { Locator } from '@playwright/test';
import decodeQR from 'qr/decode.js';

const STEP_MS = 30_000;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export class Authenticator {
  readonly #key: Buffer;
  /** The step whose code was shown last: each counts once. */
  #last = 0;

  constructor(key: string) {
    const bits = [...key.replaceAll(/[\s=]/g, '')].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0')).join('');
    this.#key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }

  /** Scans what is shown, as a camera does. */
  static async scan(shown: Locator): Promise<{ authenticator: Authenticator; address: URL }> {
    const png = (await shown.screenshot()).toString('base64');
    const image = await shown.page().evaluate(async (data) => {
      const picture = new Image();
      picture.src = `data:image/png;base64,${data}`;
      await picture.decode();
      const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
      if (!canvas) throw new Error('no canvas');
      canvas.drawImage(picture, 0, 0);
      return { width: picture.width, height: picture.height, data: [...canvas.getImageData(0, 0, picture.width, picture.height).data] };
    }, png);
    const address = new URL(decodeQR({ ...image, data: Uint8ClampedArray.from(image.data) }));
    return { authenticator: new Authenticator(address.searchParams.get('secret') ?? ''), address };
  }

  /** A code that was not shown yet: of this step or of the next one, which the broker takes, too. */
  code(): string {
    const now = Math.floor(Date.now() / STEP_MS);
    this.#last = Math.max(now, this.#last + 1);
    if (this.#last > now + 1) throw new Error('The broker takes codes of one step ahead at most.');
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(this.#last));
    const digest = createHmac('sha1', this.#key).update(counter).digest();
    const offset = (digest.at(-1) ?? 0) & 0xf;
    return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  }
}
