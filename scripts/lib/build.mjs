// Building the binary and the portal, each only when something changed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, step } from "./steps.mjs";

export const ROOT = join(import.meta.dirname, "../..");
export const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
export const WEB_ROOT = join(ROOT, "web/apps/portal/dist");
/** The pages of the management portal, which the broker serves. */
export const MANAGEMENT_ROOT = join(ROOT, "web/apps/admin/dist");

/** Where the commands of this project keep their logs and stamps. */
export const LOGS = join(TARGET, "oriel-logs");

/** Builds crates with `cargo args`; the moving line counts crates. */
export async function cargo(name, args, options = {}) {
  await step(name, async (report) => {
    let crates = 0;
    const onLine = (line) => {
      const compiling = line.match(/^\s*(Compiling|Checking) (\S+)/);
      if (compiling) report(`${++crates} crates, now ${compiling[2]}`);
      else if (/^\s*Downloading/.test(line)) report("downloading crates");
      options.onLine?.(line);
    };
    await run("cargo", args, { log: join(LOGS, options.log ?? "cargo.log"), cwd: ROOT, onLine, env: options.env });
  });
}

/** Builds the binary; gives its path. */
export async function buildBinary(profile = "dev") {
  await cargo("Building Oriel", ["build", "--package", "oriel", "--profile", profile]);
  return join(TARGET, profile === "dev" ? "debug" : profile, "oriel");
}

/** Installs the web packages when the lock file changed, and builds both portals when their sources did. */
export async function buildPortal() {
  const web = join(ROOT, "web");
  const log = join(LOGS, "web.log");
  await once("web-packages", [join(web, "package-lock.json")], [join(web, "node_modules")], () =>
    step("Installing the portals' packages", () =>
      run("npm", ["ci", "--no-audit", "--no-fund"], { log, cwd: web })));
  const sources = ["package.json", "package-lock.json", "apps", "packages"].map((name) => join(web, name));
  const pages = [WEB_ROOT, MANAGEMENT_ROOT].map((folder) => join(folder, "index.html"));
  await once("web-portal", sources, pages, () =>
    step("Building the portals", () => run("npm", ["run", "build"], { log, cwd: web })));
}

/** Does `work` unless all `products` exist and were made from just these `sources`. */
async function once(name, sources, products, work) {
  const stamp = join(LOGS, `${name}.stamp`);
  const wanted = digest(sources);
  if (products.every((product) => existsSync(product)) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  await work();
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(stamp, wanted);
}

function digest(paths) {
  const hash = createHash("sha256");
  const visit = (path) => {
    const name = path.split("/").pop();
    if (name === "node_modules" || name === "dist") return;
    const stat = statSync(path);
    if (stat.isDirectory()) {
      for (const child of readdirSync(path).sort()) visit(join(path, child));
    } else {
      hash.update(path).update(readFileSync(path));
    }
  };
  for (const path of sources(paths)) visit(path);
  return hash.digest("hex");
}

const sources = (paths) => paths.filter((path) => existsSync(path));
