// `make check`: the quick round while working.

import { join } from "node:path";
import { LOGS, cargo } from "./lib/build.mjs";
import { PACKAGES, installPackages } from "./lib/packages.mjs";
import { main, printTimes } from "./lib/steps.mjs";

main(async () => {
  await installPackages(PACKAGES.demo, join(LOGS, "packages.log"));
  await cargo("Formatting", ["fmt", "--all", "--check"]);
  await cargo("Lints", ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
  await cargo("Unit tests", ["test", "--workspace", "--lib"]);
  printTimes();
});
