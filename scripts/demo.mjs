// `make demo`: a farm on this machine, with programs and users. Ctrl+C stops it.

import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LOGS, ROOT, buildBinary, buildPortal } from "./lib/build.mjs";
import { publishDemo } from "./lib/demo-farm.mjs";
import { Farm, checkPort, isOurs, runningIn } from "./lib/farm.mjs";
import { PACKAGES, installPackages } from "./lib/packages.mjs";
import { caller, goOnAsRoot } from "./lib/root.mjs";
import { Problem, main, step } from "./lib/steps.mjs";

const directory = resolve(process.env.DEMO_DIR ?? join(ROOT, "demo-data"));
const ports = { gateway: port("GATEWAY_PORT", 8443), management: port("MANAGEMENT_PORT", 20443) };
const description = join(directory, "demo.json");

main(async () => {
  checkDirectory();
  if (ports.gateway === ports.management) {
    throw new Problem(`GATEWAY_PORT and MANAGEMENT_PORT are both ${ports.gateway}: they must differ.`);
  }
  const oriel = process.env.ORIEL_DEMO_PROGRAM ?? await built();
  const { DEMO_DIR, GATEWAY_PORT, MANAGEMENT_PORT } = process.env;
  if (await goOnAsRoot({ ORIEL_DEMO_PROGRAM: oriel, DEMO_DIR, GATEWAY_PORT, MANAGEMENT_PORT })) return;

  await checkPort(ports.gateway, "GATEWAY_PORT", "the portal");
  await checkPort(ports.management, "MANAGEMENT_PORT", "management");
  const known = existsSync(description) ? JSON.parse(readFileSync(description, "utf8")) : undefined;
  if (!known && existsSync(directory)) {
    // An earlier first start was interrupted before everything was published.
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
  }
  mkdirSync(directory, { recursive: true });

  const farm = new Farm({ oriel, directory, ports });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    console.log("");
    await step("Stopping the farm and its sessions", () => farm.stop()).catch((error) => {
      console.error(error.message);
      process.exitCode = 1;
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);

  try {
    await step("Starting the farm", (report) => farm.start(report));
    const { accounts, administrator } = known
      ?? await step("Publishing programs", (report) => publishDemo(farm, report));
    const demo = {
      portal: farm.portal,
      management: farm.management,
      accounts,
      administrator,
      api_token: farm.token,
      authority_file: farm.authorityFile,
      data: directory,
      pid: farm.process.pid,
    };
    keep(join(directory, "api.token"), farm.token);
    keep(description, JSON.stringify(demo, null, 2));
    tell(demo, oriel);
  } catch (error) {
    if (stopping) return;
    await farm.stop().catch(() => {});
    throw error;
  }
  const { code, signal } = await farm.exited;
  if (!stopping) throw new Problem(`Oriel ended by itself (${signal ?? `exit ${code}`}). The end of ${farm.log}:\n\n${farm.endOfLog()}`);
});

/** Installs and builds what is missing; gives the program's path. */
async function built() {
  await installPackages(PACKAGES.demo, join(LOGS, "packages.log"));
  await buildPortal();
  return buildBinary();
}

/** Writes a file for the caller alone, whole or not at all: scripts wait for it. */
function keep(path, text) {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  const user = caller();
  if (user) chownSync(`${path}.new`, user.uid, user.gid);
  renameSync(`${path}.new`, path);
}

function tell(demo, oriel) {
  const width = Math.max(...[...demo.accounts, demo.administrator].map((account) => account.user_name.length));
  console.log(`
Oriel is running.

  Portal       ${demo.portal}
               (the certificate is self-signed: let the browser pass)
${demo.accounts.map((account) => `  Sign in as   ${account.user_name.padEnd(width)}  password ${account.password}   (${account.groups.join(", ")})`).join("\n")}

  Management   ${demo.management}
  Sign in as   ${demo.administrator.user_name.padEnd(width)}  password ${demo.administrator.password}   (root administrator)
  Command line export ORIEL_URL=${demo.management} \\
                      ORIEL_TOKEN_FILE=${quoted(`${demo.data}/api.token`)} \\
                      ORIEL_AUTHORITY=${quoted(demo.authority_file)}
               ${quoted(oriel)} status

  Data         ${demo.data}   (for scripts: demo.json)
  Stop         Ctrl+C          Remove everything: ${process.env.DEMO_DIR ? `DEMO_DIR=${quoted(demo.data)} ` : ""}make demo-clean
`);
}

/** A word as the shell takes it. */
function quoted(word) {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The directory must be the demo's alone: what is in it is removed in the end. */
function checkDirectory() {
  const pid = runningIn(directory);
  if (pid) throw new Problem(`A demo runs in ${directory} already (process ${pid}). Stop it first, or choose another directory: DEMO_DIR=/somewhere/else make demo`);
  if (!existsSync(directory) || isOurs(directory)) return;
  if (!statSync(directory).isDirectory()) throw new Problem(`DEMO_DIR=${directory} is not a directory.`);
  if (readdirSync(directory).length > 0) {
    throw new Problem(`${directory} holds something that is not the demo's. Choose an empty directory or one that does not exist yet: DEMO_DIR=/somewhere/else make demo`);
  }
}

function port(variable, fallback) {
  const text = process.env[variable] ?? String(fallback);
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    console.error(`${variable}=${text} is not a port: it must be a number from 1 to 65535.`);
    process.exit(1);
  }
  return number;
}
