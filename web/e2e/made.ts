/** Settings that a test makes, taken away again at its end. */
import { test as base, type Administrator } from './farm.ts';

export interface SettingsObject {
  id: string;
  name: string;
  revision: number;
  spec: Record<string, unknown> & { target?: Record<string, unknown> };
}

/** Taken away again in the order that references allow. */
export class Made {
  readonly #administrator: Administrator;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(administrator: Administrator) {
    this.#administrator = administrator;
  }

  async create(kind: string, name: string, spec: unknown, password?: string): Promise<SettingsObject> {
    const made = await this.#administrator.call<SettingsObject>('POST', kind, { name, spec, ...(password && { password }) });
    this.#undo.push(() => this.#delete(kind, made.id));
    return made;
  }

  /** What came into being by itself is taken away, too. */
  adopt(kind: string, id: string): void {
    this.#undo.push(() => this.#delete(kind, id));
  }

  /** Something else that is done at the end of the test. */
  finally(step: () => Promise<unknown>): void {
    this.#undo.push(step);
  }

  /** Changes what a resource says, until the end of the test. */
  async change(name: string, change: (spec: SettingsObject['spec']) => unknown): Promise<SettingsObject> {
    const before = await this.named('resources', name);
    await this.#put(before.id, change(structuredClone(before.spec)));
    this.#undo.push(() => this.#put(before.id, before.spec));
    return before;
  }

  async named(kind: string, name: string): Promise<SettingsObject> {
    const { items } = await this.#administrator.call<{ items: SettingsObject[] }>('GET', kind);
    const found = items.find((each) => each.name === name);
    if (!found) throw new Error(`There is no ${name} among ${kind}.`);
    return found;
  }

  async #delete(kind: string, id: string): Promise<void> {
    const { revision } = await this.#administrator.call<SettingsObject>('GET', `${kind}/${id}`);
    await this.#administrator.call('DELETE', `${kind}/${id}?revision=${revision}`);
  }

  async #put(id: string, spec: unknown): Promise<void> {
    const { name, revision } = await this.#administrator.call<SettingsObject>('GET', `resources/${id}`);
    await this.#administrator.call('PUT', `resources/${id}`, { name, revision, spec });
  }

  async undo(): Promise<void> {
    // One that fails leaves the others to be done.
    const failures: unknown[] = [];
    for (const step of this.#undo.toReversed()) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}

export const test = base.extend<{ made: Made }>({
  made: async ({ administrator }, use) => {
    const made = new Made(administrator);
    try {
      await use(made);
    } finally {
      await made.undo();
    }
  },
});
