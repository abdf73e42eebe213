// A farm on this machine: started, asked and stopped by scripts. The demo is one; the browser tests
// and benchmarks start their own beside it.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MANAGEMENT_ROOT, WEB_ROOT } from "./build.mjs";
import { asRoot } from "./root.mjs";
import { Problem } from "./steps.mjs";

/** The longest time that the processes of a farm may take to be ready, in milliseconds. */
const READY_DEADLINE = 60_000;

/** The file by which a data directory is known as one that a script made and may remove. */
const MARK = "oriel-demo.txt";

/** Whether a script made this data directory. */
export function isOurs(directory) {
  return [MARK, "demo.json"].some((name) => existsSync(join(directory, name)));
}

/** The number of the process that runs a farm on this data directory; undefined when none does. */
export function runningIn(directory) {
  try {
    const pid = readFileSync(join(directory, "all-in-one.lock"), "utf8").match(/\d+/)?.[0];
    const isOriel = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("all-in-one");
    return isOriel ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

export class Farm {
  /** `ports`: {gateway, management}. */
  constructor({ oriel, directory, ports }) {
    this.oriel = oriel;
    this.directory = directory;
    this.ports = ports;
    this.log = join(directory, "oriel.log");
    this.portal = `https://127.0.0.1:${ports.gateway}/`;
    this.management = `https://127.0.0.1:${ports.management}`;
  }

  get tokenFile() { return join(this.directory, "broker/admin.token"); }
  get authorityFile() { return join(this.directory, "authority.pem"); }
  get token() { return readFileSync(this.tokenFile, "utf8").trim(); }

  /** Starts `oriel all-in-one` and waits until the broker, the gateway and this host are ready. */
  async start(report = () => {}) {
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(join(this.directory, MARK), "The data of a farm that a script made. DEMO_DIR=(this directory) make demo-clean removes it.\n");
    const internal = await freePorts(3);
    const args = [
      "all-in-one",
      "--data", this.directory,
      "--gateway-port", String(this.ports.gateway),
      "--management-port", String(this.ports.management),
      "--broker-gateway-port", String(internal[0]),
      "--broker-agent-port", String(internal[1]),
      "--rdp-port", String(internal[2]),
      "--web-root", WEB_ROOT,
      "--admin-web-root", MANAGEMENT_ROOT,
      "--stop-sessions",
    ];
    const log = openSync(this.log, "a");
    const [command, fullArgs] = asRoot(this.oriel, args);
    // A group of its own: Ctrl+C reaches this script alone, which then stops the farm in order.
    this.process = spawn(command, fullArgs, { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    this.exited = new Promise((resolve) => this.process.on("exit", (code, signal) => resolve({ code, signal })));
    await this.ready(report);
  }

  async ready(report) {
    const deadline = Date.now() + READY_DEADLINE;
    let last = "starting";
    while (Date.now() < deadline) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Problem(`Oriel stopped while starting. The end of ${this.log}:\n\n${this.endOfLog()}`);
      }
      last = await this.whatIsMissing().catch((error) => error.message);
      if (!last) return;
      report(last);
      await sleep(200);
    }
    throw new Problem(`Oriel was not ready after ${READY_DEADLINE / 1000} s (${last}). The end of ${this.log}:\n\n${this.endOfLog()}`);
  }

  async whatIsMissing() {
    if (!existsSync(this.tokenFile)) return "waiting for the broker";
    const { items: hosts } = await this.api("GET", "/hosts");
    if (!hosts.some((host) => host.state.reachable && !host.state.problem)) {
      const problem = hosts.find((host) => host.state.problem)?.state.problem;
      return `waiting for the session host${problem ? `: ${problem}` : ""}`;
    }
    const health = await ask({ url: new URL("healthz", this.portal), rejectUnauthorized: false });
    if (health.status !== 200) return "waiting for the gateway";
    return "";
  }

  /** Calls the management API; a Problem where it refuses. */
  async api(method, path, body) {
    const answer = await ask({
      method,
      url: new URL(`/api/v1${path}`, this.management),
      ca: readFileSync(this.authorityFile),
      headers: { authorization: `Bearer ${this.token}` },
      body,
    });
    if (answer.status >= 400) {
      const { detail, advice, errors } = answer.json ?? {};
      const details = (errors ?? []).map((mistake) => `\n  ${mistake.field}: ${mistake.message}`).join("");
      throw new Problem(`${method} ${path}: ${detail ?? answer.text} ${advice ?? ""}${details} (${answer.status})`);
    }
    return answer.json;
  }

  endOfLog() {
    return existsSync(this.log) ? readFileSync(this.log, "utf8").split("\n").slice(-40).join("\n") : "(no log)";
  }

  /** Stops everything that was started, in order; by force only after the deadline. */
  async stop(deadline = 30_000) {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill("SIGTERM");
    // Not held: the wait must not keep this program when the farm has stopped.
    const late = sleep(deadline, "late", { ref: false });
    if (await Promise.race([this.exited, late]) === "late") {
      this.process.kill("SIGKILL");
      throw new Problem(`Oriel did not stop within ${deadline / 1000} s and was killed; see ${this.log}.`);
    }
  }
}

/** One HTTPS request with a JSON body. */
export function ask({ method = "GET", url, ca, headers = {}, body, rejectUnauthorized = true }) {
  const text = body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = Buffer.isBuffer(body) ? "image/png" : "application/json";
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method, ca, rejectUnauthorized, agent: false, timeout: 20_000,
      headers: { ...headers, ...(text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) }) },
    }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        let json;
        try { json = text ? JSON.parse(text) : undefined; } catch { /* not JSON: `text` says it */ }
        resolve({ status: answer.statusCode, headers: answer.headers, text, json });
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 20 s")));
    call.on("error", reject);
    call.end(text);
  });
}

/** Ports that nobody listens on now. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Fails with a sentence when somebody listens on the port already. */
export async function checkPort(port, variable, what) {
  await new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error) => reject(new Problem(
      error.code === "EADDRINUSE"
        ? `Port ${port} for ${what} is in use by another program. Stop that, or choose another port: ${variable}=12345 make demo`
        : `Port ${port} for ${what} cannot be used: ${error.message}. Choose another: ${variable}=12345 make demo`)));
    server.listen(port, () => server.close(resolve));
  });
}

/** A password for a demo account: readable, and different on every machine. */
export function password() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  const part = () => Array.from(randomBytes(4), (byte) => letters[byte % letters.length]).join("");
  return `${part()}-${part()}-${part()}`;
}
