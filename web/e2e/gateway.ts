/** One more gateway of the farm, as an administrator sets one up: invited, joined, and run by its node file. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from '@playwright/test';
import type { Administrator } from './farm.ts';

const WEB_ROOT = join(import.meta.dirname, '../apps/portal/dist');

interface GatewayView {
  id: string;
  name: string;
  state: { reachable: boolean };
}

export class SecondGateway {
  readonly id: string;
  /** Where browsers reach it. */
  readonly address: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(id: string, address: string, folder: string, process: ChildProcess) {
    this.id = id;
    this.address = address;
    this.#folder = folder;
    this.#process = process;
  }

  /** Waits until the farm has it and its pages are there. */
  static async join(program: string, administrator: Administrator, name: string): Promise<SecondGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'oriel-gateway-'));
    const invitation = { role: 'gateway', component_name: name, hours: 1 };
    const { string } = await administrator.call<{ string: string }>('POST', 'invitations', invitation);
    const data = join(folder, 'data');
    execFileSync(program, ['gateway', 'join', '-', '--data', data], { input: string, stdio: ['pipe', 'ignore', 'pipe'] });
    const address = `127.0.0.1:${await freePort()}`;
    const nodeFile = { data_dir: data, listen: address, web_root: WEB_ROOT };
    const lines = Object.entries(nodeFile).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
    writeFileSync(join(folder, 'gateway.toml'), lines.join(''));
    const log = openSync(join(folder, 'gateway.log'), 'a');
    const process = spawn(program, ['gateway', 'run', '--config', join(folder, 'gateway.toml')], { stdio: ['ignore', log, log] });
    const joined = async () => {
      if (process.exitCode !== null) throw new Error(`It has ended: ${readFileSync(join(folder, 'gateway.log'), 'utf8')}`);
      const { items } = await administrator.call<{ items: GatewayView[] }>('GET', 'gateways');
      return items.find((gateway) => gateway.name === name && gateway.state.reachable)?.id ?? '';
    };
    await expect.poll(joined, { message: `the gateway ${name} is in the farm` }).not.toBe('');
    return new SecondGateway(await joined(), address, folder, process);
  }

  /** Ends it without a word to anybody. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The key of a server's certificate, as Chromium is told of those that it is to trust. */
export async function keyOf(address: string): Promise<string> {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
  socket.destroy();
  if (!key) throw new Error(`${address} shows no certificate.`);
  return createHash('sha256').update(key).digest('base64');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
