// `make test`: installs what the tests need and runs all of them. A part that is missing fails by its
// name; a test that is skipped fails the run.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LOGS, ROOT, TARGET, buildBinary, buildPortal, cargo } from "./lib/build.mjs";
import { freePorts } from "./lib/farm.mjs";
import { fuzz } from "./lib/fuzz.mjs";
import { PACKAGES, installPackages } from "./lib/packages.mjs";
import { asRoot } from "./lib/root.mjs";
import { Problem, main, printTimes, run, step } from "./lib/steps.mjs";

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

main(async () => {
  await installPackages(PACKAGES.test, join(LOGS, "packages.log"));
  await buildPortal();
  await attempt("Types of the portals", () =>
    step("Types of the portals", async () => {
      await run("npm", ["run", "check"], { log: join(LOGS, "web-types.log"), cwd: join(ROOT, "web") });
      totals.passed += 1;
    }));
  await attempt("Unit tests of the portals", unitTestsOfThePortals);
  await attempt("Tests of the scripts", testsOfTheScripts);
  const oriel = await buildBinary();
  await cargo("Building the independent RDP host", [
    "build", "--manifest-path", "tools/rdp-host/Cargo.toml", "--target-dir", join(TARGET, "rdp-host"),
  ]);
  await cargo("Building the tests", ["test", "--workspace", "--no-run"]);
  await attempt("Formatting", () =>
    step("Formatting", async () => {
      for (const workspace of ["Cargo.toml", "tools/rdp-host/Cargo.toml"]) {
        await run("cargo", ["fmt", "--all", "--check", "--manifest-path", workspace], { log: join(LOGS, "format.log"), cwd: ROOT });
      }
    }));
  await attempt("Unit and integration tests", rustTests);
  await attempt("Fuzzing the management API", () =>
    step("Fuzzing the management API", async (report) => {
      await fuzz(oriel, report);
      totals.passed += 1;
    }));
  await attempt("Browser tests on the demo", browserTests);
  printTimes();
  for (const { name, error } of failures) console.error(`\n✗ ${name}\n${error.message}`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  if (failures.length > 0 || totals.failed > 0 || totals.skipped > 0) process.exitCode = 1;
});

/** Goes on after a failure, so that one run tells everything that is wrong. */
async function attempt(name, work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    failures.push({ name, error });
  }
}

async function unitTestsOfThePortals() {
  await step("Unit tests of the portals", async () => {
    const before = totals.passed;
    await run("npm", ["test"], {
      log: join(LOGS, "web-tests.log"), cwd: join(ROOT, "web"), env: { CI: "true", NO_COLOR: "1" },
      onLine: (line) => {
        const counts = line.match(/^\s*Tests\s+(.*)$/);
        if (counts) count(counts[1]);
      },
    });
    if (totals.passed === before) throw new Problem("The portals' unit tests ran nothing.");
  });
}

async function testsOfTheScripts() {
  await step("Tests of the scripts", async () => {
    const before = totals.passed;
    await run("node", ["--test", "--test-reporter=tap", join(ROOT, "scripts/lib")], {
      log: join(LOGS, "script-tests.log"), cwd: ROOT,
      onLine: (line) => {
        const counts = line.match(/^# (pass|fail|skipped) (\d+)$/);
        if (counts) count(`${counts[2]} ${{ pass: "passed", fail: "failed", skipped: "skipped" }[counts[1]]}`);
      },
    });
    if (totals.passed === before) throw new Problem("The tests of the scripts ran nothing.");
  });
}

async function rustTests() {
  await step("Unit and integration tests", async (report) => {
    const before = totals.passed;
    const failed = [];
    const options = {
      log: join(LOGS, "tests.log"), cwd: ROOT,
      onLine: (line) => {
        const result = line.match(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/);
        if (result) {
          totals.passed += Number(result[1]);
          totals.failed += Number(result[2]);
          totals.skipped += Number(result[3]);
          report(`${totals.passed} passed`);
        }
        const one = line.match(/^test (\S+) \.\.\. (FAILED|ignored)/);
        if (one) failed.push(`${one[1]} (${one[2].toLowerCase()})`);
      },
    };
    const arguments_ = ["test", "--workspace", "--no-fail-fast"];
    // Tests of session hosts start sessions of other accounts: they need root.
    const { CARGO_HOME, RUSTUP_HOME, CARGO_TARGET_DIR, RUST_BACKTRACE } = process.env;
    const toolchain = {
      CARGO_TARGET_DIR, RUST_BACKTRACE,
      CARGO_HOME: CARGO_HOME ?? join(homedir(), ".cargo"), RUSTUP_HOME: RUSTUP_HOME ?? join(homedir(), ".rustup"),
    };
    try {
      await run(...asRoot("cargo", arguments_, toolchain), options);
    } catch (error) {
      throw failed.length > 0 ? new Problem(`${failed.join("\n")}\nSee ${join(LOGS, "tests.log")}\n\n${error.message}`) : error;
    }
    if (totals.passed === before) throw new Problem("cargo test ran nothing.");
  });
}

/** Starts `make demo` as a newcomer would, with a data directory and ports of its own. */
async function browserTests() {
  const directory = mkdtempSync(join(tmpdir(), "oriel-demo-"));
  const [gateway, management] = await freePorts(2);
  const env = { ...process.env, DEMO_DIR: directory, GATEWAY_PORT: String(gateway), MANAGEMENT_PORT: String(management) };
  const output = join(ROOT, "test-output");
  mkdirSync(output, { recursive: true });
  try {
    let demo = await step("First start of the demo", () => startDemo(env));
    try {
      await step("Browser tests on the demo", async (report) => {
        const before = totals.passed;
        await run("npx", ["playwright", "test"], {
          log: join(LOGS, "browser-tests.log"), cwd: join(ROOT, "web/e2e"),
          env: { ORIEL_DEMO: join(directory, "demo.json"), CI: "true", NO_COLOR: "1", FORCE_COLOR: "0" },
          onLine: (line) => {
            const counts = line.match(/^\s+(\d+) (passed|failed|skipped|flaky|did not run|interrupted)\b/);
            if (counts) count(`${counts[1]} ${counts[2]}`);
            else if (/^\s+[✓✘·]|\[\d+\/\d+\]/.test(line)) report(line.trim().slice(0, 80));
          },
        });
        if (totals.passed === before) throw new Problem("The browser tests ran nothing.");
      });
    } finally {
      await step("Stopping the demo", () => stopDemo(demo));
    }
    demo = await step("Second start of the demo", () => startDemo(env));
    await step("Stopping the demo again", () => stopDemo(demo));
    await step("demo-clean", async () => {
      const accounts = JSON.parse(readFileSync(join(directory, "demo.json"), "utf8")).accounts;
      await run("node", [join(ROOT, "scripts/demo-clean.mjs")], { log: join(LOGS, "demo.log"), env });
      if (existsSync(directory)) throw new Problem(`demo-clean left ${directory} behind.`);
      const left = accounts.filter(({ os_account }) => new RegExp(`^${os_account}:`, "m").test(readFileSync("/etc/passwd", "utf8")));
      if (left.length > 0) throw new Problem(`demo-clean left accounts behind: ${left.map((a) => a.os_account).join(", ")}`);
    });
    totals.passed += 1;
  } finally {
    const [command, args] = asRoot("rm", ["-rf", "--one-file-system", directory]);
    if (existsSync(directory)) await run(command, args, { log: join(LOGS, "demo.log") }).catch(() => rmSync(directory, { recursive: true, force: true }));
  }
}

/** Runs the demo script until it has written demo.json. */
async function startDemo(env) {
  const description = join(env.DEMO_DIR, "demo.json");
  const before = existsSync(description) ? readFileSync(description, "utf8") : "";
  const child = spawn("node", [join(ROOT, "scripts/demo.mjs")], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { output += text; });
  const exited = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  const deadline = Date.now() + 120_000;
  while (!output.includes("Oriel is running")) {
    if (child.exitCode !== null) throw new Problem(`make demo ended with ${child.exitCode}:\n${output}`);
    if (Date.now() > deadline) {
      child.kill("SIGINT");
      throw new Problem(`make demo was not ready after 120 s:\n${output}`);
    }
    await sleep(100);
  }
  if (!existsSync(description) || readFileSync(description, "utf8") === before) {
    child.kill("SIGINT");
    throw new Problem("make demo says that it runs, but did not write demo.json.");
  }
  return { child, exited, output: () => output };
}

/** Ctrl+C must stop everything that the demo started. */
async function stopDemo({ child, exited, output }) {
  child.kill("SIGINT");
  const code = await Promise.race([exited, sleep(60_000, "late", { ref: false })]);
  if (code !== 0) throw new Problem(`make demo did not stop cleanly (${code}):\n${output()}`);
}

function count(text) {
  for (const [, number, word] of text.matchAll(/(\d+) (passed|failed|skipped|flaky|did not run|interrupted|todo)/g)) {
    if (word === "passed") totals.passed += Number(number);
    else if (word === "skipped" || word === "todo") totals.skipped += Number(number);
    else totals.failed += Number(number);
  }
}
