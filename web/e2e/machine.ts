/**
 * One more session host of a farm: a machine of its own as far as its processes go, which can be restarted as
 * a machine is. Its agent, its xrdp and its sessions live below a first process; when that goes, the kernel
 * ends all of them at once, and everything begins anew. Network and files are those of this machine.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Demo } from './demo.ts';
import { expect, type Administrator } from './farm.ts';
import type { Made, SettingsObject } from './made.ts';
import { asRoot, programOf, sudo } from './services.ts';

/** With what status the first process ends where the machine is to start anew. */
const RESTART = 133;

/** What a machine does with /tmp while it starts: X servers that it killed have left their marks there. */
const TIDY = `
  first=$(sed -n 's/^X11DisplayOffset=//p' "$1/xrdp/etc/sesman.ini" 2>/dev/null) || first=
  if [ -n "$first" ]; then
    for mark in /tmp/.X11-unix/X* /tmp/.X*-lock; do
      display=\${mark##*/}; display=\${display#.}; display=\${display#X}; display=\${display%-lock}
      case $display in *[!0-9]*) continue ;; esac
      if [ "$display" -ge "$first" ] && [ "$display" -lt $((first + 400)) ]; then rm -f "$mark"; fi
    done
  fi`;

/**
 * The first process. It goes when the machine is told to restart, through the pipe "power" in its folder, and
 * when its standard input is closed: with the tests, however they end. It reaps what has lost its parent.
 */
const FIRST = `
  set -eu
  ${TIDY}
  # Where systemd runs, it is not this machine's.
  if [ -d /run/systemd ]; then mount -t tmpfs tmpfs /run/systemd; fi
  trap 'exit ${RESTART}' HUP
  trap 'exit 0' TERM
  exec 3<&0
  { cat <&3 > /dev/null; kill -TERM 1; } &
  { read -r _ < "$1/power"; kill -HUP 1; } &
  "$2" agent run --config "$1/agent.toml" >> "$1/agent.log" 2>&1 &
  wait $!
  exit 1`;

export interface Host {
  id: string;
  state: { reachable: boolean; problem: string | null; sessions: number; uptime_secs: number; logon_mode: string };
}

export class Machine {
  /** How often it has been started. */
  starts = 0;
  readonly #folder: string;
  readonly #program: string;
  readonly #administrator: Administrator;
  readonly #host: string;
  #process: ChildProcess | undefined;
  #trouble: string | undefined;
  #off: Promise<void> = Promise.resolve();

  private constructor(folder: string, program: string, administrator: Administrator, host: string) {
    this.#folder = folder;
    this.#program = program;
    this.#administrator = administrator;
    this.#host = host;
  }

  /** Joins the farm as a host of this pool, is started, and is ready. It goes with what the test has made. */
  static async join(demo: Demo, administrator: Administrator, made: Made, pool: SettingsObject, name: string): Promise<Machine> {
    const [folder, program] = [join(demo.data, `machine-${name}`), programOf(demo)];
    made.atTheEnd(async () => sudo('rm', ['-rf', '--one-file-system', folder]));
    const invitation = await administrator.call<{ id: string; string: string }>('POST', 'invitations', { role: 'agent', pool: pool.id, hours: 1 });
    made.adopt('invitations', invitation.id);
    sudo(program, ['agent', 'join', '-', '--data', folder, '--name', name], invitation.string);
    const host = (await made.named('hosts', name)).id;
    made.adopt('hosts', host);
    const machine = await Machine.start(folder, program, administrator, host);
    made.atTheEnd(() => machine.switchOff());
    await machine.ready();
    return machine;
  }

  /** Starts a machine that has joined with this folder. */
  static async start(folder: string, program: string, administrator: Administrator, host: string): Promise<Machine> {
    sudo('mkfifo', [join(folder, 'power')]);
    const restart = `sh -c 'echo now > "${join(folder, 'power')}"'`;
    const file = [`data_dir = "${folder}"`, `rdp_listen = "127.0.0.1:${await freePort()}"`, '[power]', `reboot = ${JSON.stringify(restart)}`];
    sudo('tee', [join(folder, 'agent.toml')], `${file.join('\n')}\n`);
    const machine = new Machine(folder, program, administrator, host);
    machine.#start();
    return machine;
  }

  async host(): Promise<Host> {
    if (this.#trouble) throw new Error(this.#trouble);
    return this.#administrator.call<Host>('GET', `hosts/${this.#host}`);
  }

  /** Waits until it takes sessions. */
  async ready(): Promise<void> {
    const state = async () => {
      const { reachable, problem, logon_mode } = (await this.host()).state;
      return { reachable, problem, logon_mode };
    };
    const ready = { reachable: true, problem: null, logon_mode: 'enabled' };
    await expect.poll(state, { message: 'the machine is ready', timeout: 60_000 }).toEqual(ready);
  }

  async switchOff(): Promise<void> {
    this.#process?.stdin?.end();
    await this.#off;
    sudo('sh', ['-c', TIDY, 'sh', this.#folder]);
  }

  #start(): void {
    const namespaces = ['--pid', '--mount', '--fork', '--kill-child', '--mount-proc'];
    const [command, words] = asRoot('unshare', [...namespaces, 'sh', '-c', FIRST, 'sh', this.#folder, this.#program]);
    const started = spawn(command, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    this.starts += 1;
    this.#process = started;
    let complaint = '';
    started.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    this.#off = new Promise((resolve) => {
      started.on('close', (code) => {
        if (code === RESTART) {
          this.#start();
          return this.#off.then(resolve);
        }
        if (code !== 0) this.#trouble = `The machine has gone (${code}): ${complaint}`;
        return resolve();
      });
    });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
