// Going on as root: a farm with a session host starts sessions of other users.

import { spawn, spawnSync } from "node:child_process";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * When this is not root, runs the same script once more with sudo and with `variables` in its
 * environment, and gives true when that has ended: there is nothing left to do then.
 */
export async function goOnAsRoot(variables) {
  if (process.getuid() === 0) return false;
  const environment = Object.entries({ PATH: process.env.PATH, ...variables }).map(([name, value]) => `${name}=${value}`);
  const command = ["-E", "env", ...environment, process.execPath, ...process.argv.slice(1)];
  const child = spawn("sudo", command, { stdio: "inherit" });
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
