// `make bench`: measures, and prints a table. `scripts/run bench relay memory` does only those parts;
// the parts are broker, api, relay, memory, picture, pages and lists. Nothing is judged: see docs/performance.md.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { launchBrowser } from "./lib/browser.mjs";
import { LOGS, MANAGEMENT_ROOT, ROOT, TARGET, buildPortal, cargo } from "./lib/build.mjs";
import { publishDemo } from "./lib/demo-farm.mjs";
import { Farm, freePorts } from "./lib/farm.mjs";
import { listTimes, pageTimes, plainTimes, signIn } from "./lib/management-times.mjs";
import { PACKAGES, installPackages } from "./lib/packages.mjs";
import { Problem, main, printTimes, run, step } from "./lib/steps.mjs";

/** Sessions whose memory is measured, and the files that both ends of one need in one process. */
const IDLE_SESSIONS = [1000, 5000];
const FILES_PER_SESSION = 2;
const FILES_BESIDE = 500;

/** How often a program is opened in the browser, new and again. */
const PICTURE_RUNS = 7;
const PROGRAM = "Text Editor";
const PICTURE_DEADLINE = 60_000;

const PARTS = { broker, api, relay, memory, picture, pages, lists };
/** Those that need the portals. */
const IN_BROWSER = ["picture", "pages", "lists"];
/** The farm of the parts "api" and "lists": each of its users starts twenty sessions, so that there are 10,000. */
const LARGE = ["--users", "500"];
const PROFILE = "measure";
const oriel = join(TARGET, PROFILE, "oriel");
const rows = [];

main(async () => {
  const wanted = process.argv.slice(2);
  for (const name of wanted) {
    if (!(name in PARTS)) throw new Problem(`There is no part "${name}"; the parts are ${Object.keys(PARTS).join(", ")}.`);
  }
  await installPackages(PACKAGES.bench, join(LOGS, "packages.log"));
  if (wanted.length === 0 || IN_BROWSER.some((name) => wanted.includes(name))) await buildPortal();
  await cargo("Building what is measured", ["build", "--package", "oriel", "--package", "oriel-bench", "--profile", PROFILE]);
  for (const [name, measure] of Object.entries(PARTS)) {
    if (wanted.length === 0 || wanted.includes(name)) await measure();
  }
  printTimes();
  printTable();
});

async function broker() {
  await step("Sign-in, listing and launch through one broker", (report) => bench(["broker"], report));
}

async function api() {
  await step("The management API of a large farm", (report) => bench(["api", ...LARGE], report));
}

/** Gateway and haproxy on the last core, everybody else on the others. */
async function relay() {
  const last = availableParallelism() - 1;
  const apart = last > 0;
  const args = ["relay", "--oriel", oriel, ...(apart ? ["--core", String(last)] : [])];
  await step("Relay, next to haproxy", (report) => bench(args, report, apart ? ["taskset", "--cpu-list", `0-${last - 1}`] : []));
}

async function memory() {
  const limit = execFileSync("sh", ["-c", "ulimit -H -n"], { encoding: "utf8" }).trim();
  const fits = (count) => limit === "unlimited" || Number(limit) >= FILES_PER_SESSION * count + FILES_BESIDE;
  const counts = IDLE_SESSIONS.filter(fits);
  if (counts.length > 0) {
    await step("Memory per idle session", (report) => bench(["memory", "--oriel", oriel, "--sessions", counts.join(",")], report));
  }
  for (const count of IDLE_SESSIONS.filter((count) => !fits(count))) {
    rows.push({ part: "Memory", what: `${count} idle relayed sessions`, result: `not measured: only ${limit} open files are allowed here`, aim: "" });
  }
}

/** Runs oriel-bench with all the open files that are allowed, and keeps its results. */
async function bench(args, report, before = []) {
  const directory = mkdtempSync(join(tmpdir(), "oriel-bench-"));
  const program = [...before, join(TARGET, PROFILE, "oriel-bench"), "--directory", directory, ...args];
  try {
    await run("sh", ["-c", 'ulimit -n "$(ulimit -H -n)"; exec "$@"', "sh", ...program], {
      log: join(LOGS, "bench.log"),
      cwd: ROOT,
      // The test kit is to be quiet: what it logs takes time from what is measured.
      env: { ORIEL_TEST_LOG: "error", RUST_BACKTRACE: "0" },
      onLine: (line) => (line.startsWith("{") ? rows.push(JSON.parse(line)) : report(line)),
    });
  } finally {
    execFileSync("rm", ["-rf", directory]);
  }
}

/** From the click in the portal to the first picture in the new tab, in Chromium, on the demo's farm. */
async function picture() {
  await onDemo(async (farm, { accounts }) => {
    const account = accounts.find(({ groups }) => groups.includes("Office"));
    const times = await step("From click to first picture", (report) => openAndOpenAgain(farm, account, report));
    for (const [what, aim, figures] of [["a new session, nothing cached", "under 1.5 s", times.cold], ["back to the session", "under 0.5 s", times.again]]) {
      for (const [from, key, goal] of [["the click", "click", aim], ["the new tab's start", "page", ""]]) {
        const sorted = figures.map((each) => each[key]).sort((a, b) => a - b);
        const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
        rows.push({
          part: "First picture",
          what: `${what}, from ${from} (${PROGRAM}, ${sorted.length} runs)`,
          result: `median ${seconds(middle(sorted))}, worst ${seconds(sorted.at(-1))}`,
          aim: goal,
        });
      }
    }
  });
}

/** From one page of the management portal to the next, in Chromium, on the demo's farm. */
async function pages() {
  await onDemo(async (farm, { administrator }) => {
    const times = await step("From page to page", (report) =>
      inBrowser(farm.ports.management, async (page) => {
        await signIn(page, farm.management, administrator);
        return pageTimes(page, report);
      }));
    for (const [what, figures] of [["opened for the first time", times.first], ["opened again", times.again]]) {
      const sorted = figures.toSorted((a, b) => a.ms - b.ms);
      const { path, ms } = sorted.at(-1);
      const result = `median ${middle(sorted).ms.toFixed(0)} ms, worst ${ms.toFixed(0)} ms (${path})`;
      rows.push({ part: "Pages", what: `${sorted.length} pages of the management portal, ${what}, from the click`, result, aim: "under 100 ms" });
    }
  });
}

/** Long lists in the management portal, in Chromium, while they change. */
async function lists() {
  const directory = mkdtempSync(join(tmpdir(), "oriel-bench-"));
  const log = openSync(join(LOGS, "bench.log"), "a");
  const program = join(TARGET, PROFILE, "oriel-bench");
  const held = spawn(program, ["--directory", directory, "api", ...LARGE, "--hold", "--pages", MANAGEMENT_ROOT], { stdio: ["pipe", "pipe", log] });
  const ended = once(held, "exit");
  try {
    const place = await step("Making a large farm", async () => {
      for await (const line of createInterface({ input: held.stdout })) return JSON.parse(line);
      throw new Problem(`The large farm did not come to be; ${join(LOGS, "bench.log")} says why.`);
    });
    await step("Long lists", (report) =>
      inBrowser(place.port, async (page) => {
        await signIn(page, `https://${place.host}:${place.port}/`, place);
        const times = [];
        for (const [path, words] of [["/sessions", "42"], ["/hosts", "42"]]) {
          report(path);
          times.push({ path, ...await listTimes(page, path, words) });
        }
        for (const each of times) {
          report(`${each.path}, plain rows`);
          tellList(each, await plainTimes(page, each));
        }
      }, place.host));
  } finally {
    held.stdin.end();
    await ended;
    execFileSync("rm", ["-rf", directory]);
  }
}

function tellList({ path, rows: count, opened, searched, frames }, plain) {
  const told = (times) => {
    const sorted = times.toSorted((a, b) => a - b);
    const over = (limit) => times.filter((ms) => ms > limit).length;
    return { median: middle(sorted), words: `median ${middle(sorted).toFixed(0)} ms, worst ${sorted.at(-1).toFixed(0)} ms a frame; ${over(50)} over 50 ms, ${over(100)} over 100 ms` };
  };
  const [list, base] = [told(frames), told(plain)];
  rows.push(
    { part: "Lists", what: `${path}: ${count} rows, from the click to the first; to those that a search finds`, result: `${opened.toFixed(0)} ms; ${searched.toFixed(0)} ms`, aim: "" },
    { part: "Lists", what: `${path}: scrolled for ${frames.length} frames while rows change`, result: list.words, aim: `${(list.median / base.median).toFixed(1)} × plain rows; no stutter` },
    { part: "Lists", what: `as many plain rows of text, scrolled for ${plain.length} frames`, result: base.words, aim: "" },
  );
}

const middle = (sorted) => sorted[Math.floor((sorted.length - 1) / 2)];

/** Measures on a demo's farm of its own. */
async function onDemo(measure) {
  const directory = mkdtempSync(join(tmpdir(), "oriel-bench-farm-"));
  const [gateway, management] = await freePorts(2);
  const farm = new Farm({ oriel, directory, ports: { gateway, management } });
  try {
    await step("Starting the demo's farm", (report) => farm.start(report));
    await measure(farm, await step("Publishing programs", (report) => publishDemo(farm, report)));
  } finally {
    await step("Stopping the demo's farm", async () => {
      await farm.stop();
      await run("node", [join(ROOT, "scripts/demo-clean.mjs")], { log: join(LOGS, "demo.log"), env: { DEMO_DIR: directory } });
    });
  }
}

/** Gives `use` a page of a browser that trusts whoever listens there. */
async function inBrowser(port, use, host) {
  const browser = await launchBrowser(port, host);
  try {
    const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 } });
    return await use(await context.newPage());
  } finally {
    await browser.close();
  }
}

async function openAndOpenAgain(farm, account, report) {
  const browser = await launchBrowser(farm.ports.gateway);
  const times = { cold: [], again: [] };
  try {
    for (let number = 1; number <= PICTURE_RUNS; number++) {
      report(`run ${number} of ${PICTURE_RUNS}`);
      // A new context has nothing in its cache.
      const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 } });
      const page = await context.newPage();
      await page.goto(farm.portal);
      await page.getByLabel("User name").fill(account.user_name);
      await page.getByLabel("Password", { exact: true }).fill(account.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      const link = page.locator(`[data-testid=resource][data-resource="${PROGRAM}"]`).first().getByRole("link");
      await page.getByTestId("search").fill(PROGRAM);
      await link.waitFor();
      await page.evaluate(() => addEventListener("click", (event) => { globalThis.clicked = performance.timeOrigin + event.timeStamp; }, true));
      // Somebody who has just signed in looks first.
      await page.waitForTimeout(1500);
      for (const kind of ["cold", "again"]) {
        const [tab] = await Promise.all([context.waitForEvent("page"), link.click()]);
        times[kind].push(await firstPicture(page, tab));
        await tab.waitForTimeout(2000);
        await tab.close();
        await page.bringToFront();
      }
      await context.close();
      await endSessions(farm, account);
    }
  } finally {
    await browser.close();
  }
  return times;
}

/** Milliseconds until the tab has its first picture: since the click, and since the tab's own start. */
async function firstPicture(portal, tab) {
  await tab.waitForFunction(() => performance.getEntriesByName("oriel:first-picture").length > 0, undefined, { timeout: PICTURE_DEADLINE });
  const { at, origin, launch } = await tab.evaluate(() => ({
    origin: performance.timeOrigin,
    at: performance.getEntriesByName("oriel:first-picture")[0].startTime,
    launch: performance.getEntriesByName("oriel:launch")[0].startTime,
  }));
  const clicked = await portal.evaluate(() => globalThis.clicked);
  return { click: origin + at - clicked, page: at - launch };
}

async function endSessions(farm, account) {
  const mine = async () => (await farm.api("GET", "/sessions")).items.filter((session) => session.user_name === account.user_name);
  for (const session of await mine()) await farm.api("POST", `/sessions/${session.id}/reset`);
  const deadline = Date.now() + PICTURE_DEADLINE;
  while ((await mine()).length > 0) {
    if (Date.now() > deadline) throw new Problem(`The sessions of ${account.user_name} did not end.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function printTable() {
  const version = (command, args, pattern) => {
    try {
      return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).match(pattern)?.[0] ?? "?";
    } catch {
      return "not there";
    }
  };
  const debian = readFileSync("/etc/os-release", "utf8").match(/PRETTY_NAME="(.*)"/)?.[1] ?? "?";
  console.log(`
Machine: ${cpus()[0].model}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${debian}, Linux ${release()}
Versions: ${version("rustc", ["--version"], /rustc [\d.]+/)}, ${version("haproxy", ["-v"], /HAProxy version [\d.]+/)}, ${version("openssl", ["version"], /OpenSSL [\d.]+/)}, ${version("xrdp", ["--version"], /xrdp [\d.]+/)}, ${version("chromium", ["--version"], /Chromium [\d.]+/)}
Commit: ${version("git", ["-C", ROOT, "rev-parse", "--short", "HEAD"], /\w+/)}, ${new Date().toISOString().slice(0, 10)}
`);
  const table = [["Part", "What", "Result", "Aim or note"], ...rows.map(({ part, what, result, aim }) => [part, what, result, aim])];
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  const print = (cells) => console.log(`| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`);
  print(table[0]);
  print(widths.map((width) => "-".repeat(width)));
  table.slice(1).forEach(print);
}
