/** Settings that a test makes and that go with it. */
import { test as base, type Administrator } from './farm.ts';

export interface SettingsObject {
  id: string;
  name: string;
  revision: number;
  spec: Record<string, unknown> & { target?: Record<string, unknown> };
}

/** What a test has set, taken away again at its end in the order that references allow. */
export class Made {
  readonly #administrator: Administrator;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(administrator: Administrator) {
    this.#administrator = administrator;
  }

  async create(kind: string, name: string, spec: unknown, password?: string): Promise<SettingsObject> {
    const made = await this.#administrator.call<SettingsObject>('POST', kind, { name, spec, ...(password && { password }) });
    this.adopt(kind, made.id);
    return made;
  }

  /** What came into being by itself is taken away, too. */
  adopt(kind: string, id: string): void {
    this.#undo.push(() => this.remove(kind, id));
  }

  /** Changes what an object says, until the end of the test. */
  async change(kind: string, name: string, change: (spec: SettingsObject['spec']) => unknown): Promise<SettingsObject> {
    const before = await this.named(kind, name);
    await this.put(kind, before.id, change(structuredClone(before.spec)));
    this.#undo.push(() => this.put(kind, before.id, before.spec));
    return before;
  }

  async named(kind: string, name: string): Promise<SettingsObject> {
    const { items } = await this.#administrator.call<{ items: SettingsObject[] }>('GET', kind);
    const found = items.find((each) => each.name === name);
    if (!found) throw new Error(`There is no ${name} among ${kind}.`);
    return found;
  }

  /** Makes an object say this, whoever has changed it meanwhile. */
  async put(kind: string, id: string, spec: unknown): Promise<void> {
    const { name, revision } = await this.#administrator.call<SettingsObject>('GET', `${kind}/${id}`);
    await this.#administrator.call('PUT', `${kind}/${id}`, { name, revision, spec });
  }

  async remove(kind: string, id: string): Promise<void> {
    const { revision } = await this.#administrator.call<SettingsObject>('GET', `${kind}/${id}`);
    await this.#administrator.call('DELETE', `${kind}/${id}?revision=${revision}`);
  }

  /** Something else that is to be undone at the end, before what was made until now. */
  atTheEnd(step: () => Promise<unknown>): void {
    this.#undo.push(step);
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
