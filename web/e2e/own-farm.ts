/**
 * A farm of a test's own, beside the demo's: nothing but a broker at first. Its gateway and its host join with
 * what the management portal tells to paste, run as it stands there, with this machine's paths and ports.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, request } from '@playwright/test';
import { Administrator } from './farm.ts';
import { Machine, freePort } from './machine.ts';
import { asRoot, sudo } from './services.ts';

const PAGES = join(import.meta.dirname, '../apps');

type Service = 'broker' | 'gateway';

export class OwnFarm {
  /** Where its management portal is. */
  readonly management: string;
  readonly #folder: string;
  readonly #program: string;
  readonly #running: [Service, ChildProcess][] = [];
  #machine: Machine | undefined;

  private constructor(program: string, folder: string, management: string) {
    this.#program = program;
    this.#folder = folder;
    this.management = management;
  }

  /** Waits until its broker answers. */
  static async start(program: string): Promise<OwnFarm> {
    const folder = mkdtempSync(join(tmpdir(), 'oriel-new-'));
    const [gateways, agents, management] = [await freePort(), await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`);
    const farm = new OwnFarm(program, folder, `https://${management}`);
    farm.#write('broker', {
      data_dir: join(folder, 'broker'), farm_name: 'Brand new', gateway_listen: gateways ?? '', agent_listen: agents ?? '',
      management_listen: management ?? '', web_root: join(PAGES, 'admin/dist'),
    });
    farm.#run('broker');
    const api = await request.newContext({ baseURL: farm.management, ignoreHTTPSErrors: true });
    const isThere = () => api.get('/api/v1/first-start').then((answer) => answer.ok(), () => false);
    await expect.poll(() => farm.#alive(isThere), { message: 'the broker answers', timeout: 60_000 }).toBe(true);
    await api.dispose();
    return farm;
  }

  /** The token that makes the first root. */
  get token(): string {
    return readFileSync(join(this.#folder, 'broker/admin.token'), 'utf8').trim();
  }

  /** Runs what makes a gateway of this machine; gives where users reach it. */
  async joinGateway(pasted: string): Promise<string> {
    const address = `127.0.0.1:${await freePort()}`;
    const [joining, noting] = this.#lines(pasted, 'gateway');
    execFileSync('sh', ['-c', `${joining}\n${noting}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    const file = join(this.#folder, 'gateway.toml');
    this.#write('gateway', { listen: address, web_root: join(PAGES, 'portal/dist') }, readFileSync(file, 'utf8'));
    this.#run('gateway');
    return address;
  }

  /** Runs what makes a session host of this machine. */
  async joinHost(pasted: string): Promise<void> {
    const [joining] = this.#lines(pasted, 'agent');
    sudo('sh', ['-c', joining ?? '']);
    const administrator = await this.#administrator();
    const { items } = await administrator.call<{ items: { id: string }[] }>('GET', 'hosts');
    // Its node file says more than what was pasted: a machine that is restarted, and a port of its own.
    this.#machine = await Machine.start(join(this.#folder, 'agent'), this.#program, administrator, items[0]?.id ?? '');
  }

  /** Ends everything, and takes away the accounts that its host has made. */
  async remove(): Promise<void> {
    await this.#machine?.switchOff();
    for (const [, service] of this.#running.toReversed()) {
      if (service.exitCode !== null || service.signalCode !== null) continue;
      const exited = once(service, 'exit');
      service.kill('SIGTERM');
      await exited;
    }
    const made = join(this.#folder, 'agent/accounts-created');
    const accounts = this.#machine && existsAsRoot(made) ? sudo('cat', [made]).split('\n').filter(Boolean) : [];
    for (const account of accounts) {
      if (existsSync('/etc/passwd') && readFileSync('/etc/passwd', 'utf8').includes(`\n${account}:`)) sudo('userdel', ['--remove', '--force', account]);
    }
    sudo('rm', ['-rf', '--one-file-system', this.#folder]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What was pasted, with the program and the folders of this farm. */
  #lines(pasted: string, role: 'gateway' | 'agent'): string[] {
    const here = pasted.replaceAll(`/var/lib/oriel-${role}`, join(this.#folder, role)).replaceAll(`/etc/oriel-${role}.toml`, join(this.#folder, `${role}.toml`));
    return here.split('\n').map((line) => line.replace(/^oriel /, `'${this.#program}' `));
  }

  async #administrator(): Promise<Administrator> {
    const api = await request.newContext({ baseURL: this.management, ignoreHTTPSErrors: true, extraHTTPHeaders: { authorization: `Bearer ${this.token}` } });
    return new Administrator(api);
  }

  #write(service: Service, settings: Record<string, string>, before = ''): void {
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
    writeFileSync(join(this.#folder, `${service}.toml`), before + lines.join(''));
  }

  /** It ends with its standard input: with the tests, however they end. */
  #run(service: Service): void {
    const log = openSync(join(this.#folder, `${service}.log`), 'a');
    const words = [service, 'run', '--parent-stdin', '--config', join(this.#folder, `${service}.toml`)];
    this.#running.push([service, spawn(this.#program, words, { stdio: ['pipe', log, log] })]);
  }

  /** Asks, unless something has ended by itself. */
  async #alive<T>(ask: () => Promise<T>): Promise<T> {
    const ended = this.#running.find(([, { exitCode }]) => exitCode !== null)?.[0];
    if (ended) throw new Error(`The ${ended} has ended: ${readFileSync(join(this.#folder, `${ended}.log`), 'utf8')}`);
    return ask();
  }
}

function existsAsRoot(path: string): boolean {
  try {
    execFileSync(...asRoot('test', ['-e', path]));
    return true;
  } catch {
    return false;
  }
}
