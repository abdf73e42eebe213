// `make demo-clean`: removes the demo's data directory and the accounts that it made.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT } from "./lib/build.mjs";
import { isOurs, runningIn } from "./lib/farm.mjs";
import { asRoot } from "./lib/root.mjs";
import { Problem, main, step } from "./lib/steps.mjs";

const directory = resolve(process.env.DEMO_DIR ?? join(ROOT, "demo-data"));

/** Folders of everybody's short-lived files. */
const SHARED = ["/tmp", "/var/tmp", "/dev/shm"];

main(async () => {
  if (!existsSync(directory)) {
    console.log(`There is no demo at ${directory}.`);
    return;
  }
  if (!isOurs(directory)) throw new Problem(`${directory} does not look like a demo's data directory; nothing was removed.`);
  const pid = runningIn(directory);
  if (pid) throw new Problem(`The demo is running (process ${pid}). Stop it first (Ctrl+C where it runs).`);

  await step("Removing the demo's accounts", () => {
    for (const name of createdAccounts()) {
      // Only what the agent made: it says so in the account's comment field.
      if (!comment(name).startsWith("Oriel farm user")) continue;
      // What programs that were killed have left where everybody may write; the number may be somebody else's soon.
      execFileSync(...asRoot("find", [...SHARED.filter((folder) => existsSync(folder)), "-xdev", "-user", name, "-delete"]), { stdio: "ignore" });
      execFileSync(...asRoot("userdel", ["--remove", "--force", name]), { stdio: "ignore" });
    }
  });
  await step(`Removing ${directory}`, () => execFileSync(...asRoot("rm", ["-rf", "--one-file-system", directory])));
});

/** The accounts that the demo's agent wrote down when it made them. */
function createdAccounts() {
  const list = join(directory, "agent/accounts-created");
  return existsSync(list) ? readFileSync(list, "utf8").split("\n").filter(Boolean) : [];
}

function comment(name) {
  const line = readFileSync("/etc/passwd", "utf8").split("\n").find((line) => line.startsWith(`${name}:`));
  return line?.split(":")[4] ?? "";
}
