// Going on as root: a farm with a session host starts sessions of other users.

import { spawn, spawnSync } from "node:child_process";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * What any program may need of the caller's environment: where programs are, how to write, and the way
 * through a proxy. Nothing else of it reaches root.
 */
const PASSED = [
  "PATH", "LANG", "LC_ALL", "TERM", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "CI",
  "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
];

/** Where programs for root are: Debian leaves these out of its users' PATH. */
const ROOTS_PROGRAMS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * The command as it must be called to run as root, with these variables beside those that every program
 * may need.
 */
export function asRoot(command, args, variables = {}) {
  return process.getuid() === 0 ? [command, args] : withSudo(process.env, command, args, variables);
}

/** See asRoot; for anyone. */
export function withSudo(environment, command, args, variables = {}) {
  const passed = Object.fromEntries(PASSED.map((name) => [name, environment[name]]));
  const path = passed.PATH?.split(":") ?? ["/usr/local/bin", "/usr/bin", "/bin"];
  passed.PATH = [...path, ...ROOTS_PROGRAMS.filter((folder) => !path.includes(folder))].join(":");
  const assignments = Object.entries({ ...passed, ...variables })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  return ["sudo", ["env", ...assignments, command, ...args]];
}

/**
 * When this is not root, runs the same script once more with sudo and with `variables` in its
 * environment, and gives true when that has ended: there is nothing left to do then.
 */
export async function goOnAsRoot(variables) {
  if (process.getuid() === 0) return false;
  const child = spawn(...asRoot(process.execPath, process.argv.slice(1), variables), { stdio: "inherit" });
  // What reaches this process alone is passed on; only root may signal sudo.
  for (const signal of SIGNALS) {
    process.on(signal, () => spawnSync("sudo", ["-n", "kill", "-s", signal.slice(3), String(child.pid)], { stdio: "ignore" }));
  }
  process.exitCode = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
  return true;
}

/** The user who called sudo: {uid, gid}; undefined when root did all by itself. */
export function caller() {
  const { SUDO_UID: uid, SUDO_GID: gid } = process.env;
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
