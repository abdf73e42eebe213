// The management API fuzzed against its own document: a real broker, its own OpenAPI document, and
// schemathesis, which sends what the document allows and what it does not. No server error, no answer that
// the document does not describe.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LOGS, TARGET } from "./build.mjs";
import { ask, freePorts } from "./farm.mjs";
import { Problem, run, step } from "./steps.mjs";

/** The one version that the project is tested with. */
const VERSION = "4.32.5";
/**
 * Requests of made-up content per operation, the same in every run. The document's edge cases come on top,
 * and chains of calls that build on each other as long as there is time.
 */
const EXAMPLES = "3";
/** The longest that the whole may take, in seconds. */
const TIME = "120";
/** What is asked of every answer. */
const CHECKS = [
  "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
  "response_schema_conformance", "unsupported_method",
];

/** Installs schemathesis below `target/` and gives its path. */
export async function installSchemathesis() {
  const home = join(TARGET, "schemathesis", VERSION);
  const command = join(home, "bin/schemathesis");
  if (existsSync(command)) return command;
  await step("Installing schemathesis", async () => {
    const log = join(LOGS, "schemathesis-install.log");
    rmSync(home, { recursive: true, force: true });
    await run("python3", ["-m", "venv", home], { log });
    await run(join(home, "bin/pip"), ["install", "--quiet", `schemathesis==${VERSION}`], { log });
  });
  return command;
}

/** Starts a broker of its own and sends it everything. Gives the number of requests. */
export async function fuzz(oriel, report = () => {}) {
  const schemathesis = await installSchemathesis();
  const directory = mkdtempSync(join(tmpdir(), "oriel-fuzz-"));
  const broker = await start(oriel, directory);
  const log = join(LOGS, "fuzz.log");
  let requests = 0;
  try {
    await run(schemathesis, [
      "run", `${broker.url}/api/v1/openapi.json`,
      "--header", `Authorization: Bearer ${broker.token}`,
      "--tls-verify", broker.authority,
      "--checks", CHECKS.join(","),
      "--phases", "coverage,fuzzing,stateful",
      // A stream that never ends: every request would only run into its timeout. A parameter that ends it would
      // be of use to nobody else. It is tested by itself, in http/admin/tests/events.rs.
      "--exclude-path", "/events",
      "--generation-deterministic",
      "--max-examples", EXAMPLES, "--max-time", TIME, "--request-timeout", "20",
      "--continue-on-failure", "--no-color",
    ], {
      log, cwd: directory,
      onLine: (line) => {
        const count = line.match(/(\d+) generated/) ?? line.match(/Test cases:\s*(\d+)/);
        if (count) requests = Number(count[1]);
        if (/^\s*[✅❌⏭]/u.test(line)) report(line.trim().slice(0, 80));
      },
    });
  } finally {
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  if (requests === 0) throw new Problem(`schemathesis sent nothing; see ${log}.`);
  return requests;
}

/** A broker on ports of its own, ready to be asked. */
async function start(oriel, directory) {
  const [gateway, agent, management] = await freePorts(3);
  const file = join(directory, "broker.toml");
  writeFileSync(file, [
    `data_dir = ${JSON.stringify(join(directory, "data"))}`,
    `gateway_listen = "127.0.0.1:${gateway}"`,
    `agent_listen = "127.0.0.1:${agent}"`,
    `management_listen = "127.0.0.1:${management}"`,
  ].join("\n"));
  const output = openSync(join(LOGS, "fuzz-broker.log"), "w");
  const child = spawn(oriel, ["broker", "run", "--config", file], { stdio: ["ignore", output, output] });
  closeSync(output);
  const exited = new Promise((resolve) => child.on("exit", resolve));
  const url = `https://127.0.0.1:${management}`;
  const tokenFile = join(directory, "data/admin.token");
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = existsSync(tokenFile)
      ? await ask({ url: new URL(`${url}/api/v1/openapi.json`), rejectUnauthorized: false }).catch(() => undefined)
      : undefined;
    if (answer?.status === 200) break;
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Problem(`The broker that is to be fuzzed did not start; see ${join(LOGS, "fuzz-broker.log")}.`);
    }
    await sleep(100);
  }
  return {
    url,
    token: readFileSync(tokenFile, "utf8").trim(),
    authority: join(directory, "data/authority.pem"),
    stop: async () => {
      child.kill("SIGTERM");
      const late = sleep(20_000, "late", { ref: false });
      if (await Promise.race([exited, late]) === "late") child.kill("SIGKILL");
    },
  };
}
