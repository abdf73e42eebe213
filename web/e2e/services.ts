/** Broker, gateway and agent as processes of this machine, for tests that kill them. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { expect, type APIRequestContext } from '@playwright/test';
import type { Demo } from './demo.ts';
import type { Administrator } from './farm.ts';

export const SERVICES = ['broker', 'gateway', 'agent'] as const;
export type Service = (typeof SERVICES)[number];

interface Status {
  hosts: { total: number; reachable: number; unhealthy: number };
  gateways: { total: number; reachable: number };
}

export class Services {
  readonly #demo: Demo;
  readonly #administrator: Administrator;
  readonly #request: APIRequestContext;

  constructor(demo: Demo, administrator: Administrator, request: APIRequestContext) {
    this.#demo = demo;
    this.#administrator = administrator;
    this.#request = request;
  }

  /** Kills the services and waits until the farm is whole again, by itself. */
  async kill(...services: Service[]): Promise<void> {
    const old = this.#kill(services);
    await this.#whole(services, old);
  }

  /** Kills the services, does something while they are away, and waits until the farm is whole again. */
  async without(services: Service[], work: () => Promise<void>): Promise<void> {
    const supervisor = supervisorOf(this.#demo);
    let old: number[] = [];
    // What would start them again at once sleeps meanwhile.
    signal('STOP', supervisor);
    try {
      old = this.#kill(services);
      await work();
    } finally {
      signal('CONT', supervisor);
    }
    await this.#whole(services, old);
  }

  #kill(services: Service[]): number[] {
    const found = services.map((service) => {
      const id = this.#processOf(service);
      if (id === undefined) throw new Error(`The ${service} does not run.`);
      return id;
    });
    signal('KILL', ...found);
    return found;
  }

  async #whole(services: Service[], old: number[]): Promise<void> {
    const isWhole = async () => {
      const isNew = services.every((service) => {
        const id = this.#processOf(service);
        return id !== undefined && !old.includes(id);
      });
      if (!isNew) return 'waiting for the process';
      const { hosts, gateways } = await this.#administrator.call<Status>('GET', 'status');
      if (hosts.reachable < hosts.total || hosts.unhealthy > 0) return 'waiting for the host';
      if (gateways.reachable < gateways.total) return 'waiting for the gateway';
      const health = await this.#request.get(new URL('healthz', this.#demo.portal).href);
      return health.ok() ? 'whole' : 'waiting for the gateway’s pages';
    };
    const state = () => isWhole().catch((error: unknown) => String(error));
    await expect.poll(state, { message: `the farm after ${services.join(', ')} was killed`, timeout: 30_000 }).toBe('whole');
  }

  #processOf(service: Service): number | undefined {
    return childrenOf(supervisorOf(this.#demo)).find((id) => wordsOf(id)[1] === service);
  }
}

/** The process that starts the three: with sudo it is a child of the one that the demo knows. */
function supervisorOf(demo: Demo): number {
  const isSupervisor = (id: number) => !/(^|\/)sudo$/.test(wordsOf(id)[0] ?? '');
  let id: number | undefined = demo.pid;
  while (id !== undefined && !isSupervisor(id)) id = childrenOf(id)[0];
  if (id === undefined || wordsOf(id)[1] !== 'all-in-one') throw new Error('The farm of demo.json does not run.');
  return id;
}

/** The program that the farm runs. */
export function programOf(demo: Demo): string {
  return wordsOf(supervisorOf(demo))[0] ?? '';
}

/** What the command line says to an administrator of the farm. */
export function oriel(demo: Demo, ...words: string[]): string {
  const env = { ORIEL_URL: demo.management, ORIEL_TOKEN: demo.api_token, ORIEL_AUTHORITY: demo.authority_file };
  return execFileSync(programOf(demo), words, { encoding: 'utf8', env });
}

/** Whether a process of this machine runs. */
function isRunning(id: number): boolean {
  const state = /^State:\s+(\w)/m.exec(read(`/proc/${id}/status`))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The processes that carry a session's mark: whatever its programs have started, wherever it went. */
export function processesOf(session: string): string[] {
  return processes()
    .filter((id) => isRunning(id) && read(`/proc/${id}/environ`).split('\0').includes(`ORIEL_SESSION=${session}`))
    .map((id) => `${id} ${wordsOf(id).join(' ')}`);
}

/** The farm's log files, its session software's included. */
export function logsOf(demo: Demo): { path: string; text: string }[] {
  const found = sudo('find', [demo.data, '-type', 'f', '-name', '*.log']).split('\n').filter((path) => path !== '');
  return found.map((path) => ({ path, text: read(path) }));
}

function signal(name: 'KILL' | 'STOP' | 'CONT', ...ids: number[]): void {
  sudo('kill', [`-${name}`, ...ids.map(String)]);
}

function processes(): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
}

function childrenOf(id: number): number[] {
  return processes().filter((child) => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${child}/status`))?.[1]) === id && isRunning(child));
}

function wordsOf(id: number): string[] {
  return read(`/proc/${id}/cmdline`).split('\0');
}

/** A file's text, whoever may read it; nothing where it has just gone, as processes do. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return '';
    try {
      return sudo('cat', [path]);
    } catch {
      return '';
    }
  }
}

/** Broker, gateway and agent run as root. */
export function sudo(command: string, args: string[], input?: string): string {
  const [program, all] = asRoot(command, args);
  const stdin = input === undefined ? 'ignore' : 'pipe';
  return execFileSync(program, all, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: [stdin, 'pipe', 'pipe'], input });
}

/** A command as it is called to run as root. */
export function asRoot(command: string, args: string[]): [string, string[]] {
  return process.getuid?.() === 0 ? [command, args] : ['sudo', ['-n', command, ...args]];
}
