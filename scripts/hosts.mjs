// `make test-hosts`: the agent's tests on session hosts of other kinds than this machine: Debian 13 with
// xrdp 0.10, and Debian 12 and 13 booted with systemd. Each Debian is a folder below `target/hosts`, made once with
// debootstrap and never written to by a test: what a test writes goes to memory. All mounts lie in
// namespaces that end with the tests. It needs root or sudo, the network the first time, and some minutes.
// `node scripts/hosts.mjs debian-13` runs one of them.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { LOGS, ROOT, TARGET, cargo } from "./lib/build.mjs";
import { PACKAGES, installPackages } from "./lib/packages.mjs";
import { asRoot } from "./lib/root.mjs";
import { debianRoot } from "./lib/roots.mjs";
import { Problem, main, printTimes, run, step } from "./lib/steps.mjs";

const ROOTS = join(TARGET, "hosts");
const OUTPUT = join(ROOT, "test-output/hosts");
/** Longest run of one machine's tests, in seconds: several times what they take. */
const PATIENCE = 900;

const DEBIAN_12 = { folder: join(ROOTS, "debian-12"), suite: "bookworm", packages: PACKAGES.debian12, xrdp: /^xrdp 0\.9\./ };
const DEBIAN_13 = { folder: join(ROOTS, "debian-13"), suite: "trixie", packages: PACKAGES.debian13, xrdp: /^xrdp 0\.10\./ };

const MACHINES = [
  { name: "debian-13", title: "Debian 13", system: DEBIAN_13, test: inFolder },
  { name: "debian-12-systemd", title: "Debian 12 with systemd", system: DEBIAN_12, test: booted },
  { name: "debian-13-systemd", title: "Debian 13 with systemd", system: DEBIAN_13, test: booted },
];

/**
 * Lays memory over the folder "$1" at "$2", the project at its own place in it (read-only) and the output
 * folder "$4" over the project's; "$5" is the folder of the built programs. Sourced by the two below.
 */
const PREPARE = `
  set -eu
  base=$1 work=$2 project=$3 output=$4 target=$5; shift 5
  mount -t tmpfs -o mode=755 tmpfs "$work"
  mkdir "$work/upper" "$work/tmp" "$work/root"
  mount -t overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/tmp" overlay "$work/root"
  root=$work/root`;

/** Runs "$@" in the folder, in namespaces of its own; the shell stays, to reap what loses its parent. */
const IN_FOLDER = `${PREPARE}
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder"; done
  chmod 1777 "$root/tmp"
  for folder in "$project" "$target"; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
    mount -o remount,bind,ro "$root$folder"
  done
  mount --bind "$output" "$root$project/test-output"
  ip link set lo up
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
  exit $?`;

/** Boots the folder; its unit runs the tests, and the machine ends with their result. */
const BOOTED = `${PREPARE}
  unit=$root/etc/systemd/system/oriel-tests.service
  printf '%s\\n' "$1" > "$unit"
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
  ln -s ../oriel-tests.service "$root/etc/systemd/system/multi-user.target.wants/"
  mkdir -p /run/systemd/nspawn
  mount -t tmpfs tmpfs /run/systemd/nspawn
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --boot --directory="$root" --machine=oriel-test-host \
    --register=no --keep-unit --capability=all --private-network --console=pipe \
    --bind-ro="$project" --bind-ro="$target" --bind="$output:$project/test-output" --bind=/dev/fuse \
    systemd.unit=multi-user.target systemd.show_status=no < /dev/null`;

main(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !MACHINES.some((machine) => machine.name === name));
  if (unknown) throw new Problem(`There is no session host "${unknown}": there are ${MACHINES.map(({ name }) => name).join(" and ")}.`);
  const machines = MACHINES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  await installPackages(PACKAGES.hosts, join(LOGS, "packages.log"));
  const test = await builtTest();
  const totals = { passed: 0, failed: 0 };
  const failures = [];
  for (const machine of machines) {
    const log = join(LOGS, `${machine.name}.log`);
    try {
      await step(`${machine.title}: the system`, (report) => debianRoot({ ...machine.system, log, report }));
      checkXrdp(machine.system);
      await step(`${machine.title}: the tests`, (report) => tested(machine, { log, test, totals, report }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failures.push(`✗ ${machine.title}\n${error.message}`);
    }
  }
  printTimes();
  for (const failure of failures) console.error(`\n${failure}`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed on ${machines.length} session host${machines.length === 1 ? "" : "s"}`);
  if (failures.length > 0 || totals.failed > 0) process.exitCode = 1;
});

/** Builds the agent and its tests on xrdp; gives the path of the test program. */
async function builtTest() {
  let program;
  await cargo("Building the agent's tests", ["test", "--package", "oriel-agent", "--test", "xrdp", "--no-run", "--message-format", "json"], {
    onLine: (line) => {
      if (!line.startsWith("{")) return;
      const message = JSON.parse(line);
      if (message.reason === "compiler-artifact" && message.target.name === "xrdp" && message.executable) program = message.executable;
    },
  });
  if (!program) throw new Problem("cargo did not say where the agent's tests are.");
  return program;
}

/** The folder must be what it is here for, whatever the mirror has. */
function checkXrdp({ suite, folder, xrdp }) {
  const [command, args] = asRoot("chroot", [folder, "xrdp", "--version"]);
  const version = execFileSync(command, args, { encoding: "utf8" }).split("\n")[0];
  if (!xrdp.test(version)) throw new Problem(`Debian ${suite} has ${version}, which is not what is to be tested there.`);
}

/** Runs the tests there and counts them; that none ran is a failure, too. */
async function tested(machine, { log, test, totals, report }) {
  const output = join(OUTPUT, machine.name);
  const work = join(ROOTS, `${machine.name}.work`);
  for (const path of [output, work, join(ROOT, "test-output")]) mkdirSync(path, { recursive: true });
  const counts = { passed: 0, failed: 0 };
  const onLine = (line) => {
    const result = line.match(/test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/);
    if (result) {
      counts.passed += Number(result[1]);
      counts.failed += Number(result[2]) + Number(result[3]);
    }
    const now = line.match(/^testing: (.*)/);
    if (now) report(now[1]);
  };
  try {
    await machine.test({ base: machine.system.folder, work, output, test, log, onLine });
  } finally {
    totals.passed += counts.passed;
    totals.failed += counts.failed;
  }
  if (counts.passed === 0) throw new Problem(`No test ran there. See ${log} and ${output}.`);
}

function arguments_({ base, work, output }) {
  return [base, work, ROOT, output, TARGET];
}

async function inFolder({ test, log, onLine, ...places }) {
  const namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"];
  const command = ["timeout", "--kill-after=10", String(PATIENCE), test, "--nocapture"];
  await run(...asRoot("unshare", [...namespaces, "sh", "-c", IN_FOLDER, "sh", ...arguments_(places), ...command]), { log, onLine });
}

async function booted({ test, log, onLine, ...places }) {
  // The machine's own console says when it starts and ends; the tests say theirs in a file.
  const file = join(ROOT, "test-output/tests.log");
  const unit = `[Unit]
Description=The agent's tests
After=network.target dbus.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=${test} --nocapture
Environment=ORIEL_TEST_UNITS=1 HOME=/root LANG=C.UTF-8
TimeoutStartSec=${PATIENCE}
StandardOutput=truncate:${file}
StandardError=inherit`;
  const said = join(places.output, relative(join(ROOT, "test-output"), file));
  rmSync(said, { force: true });
  try {
    await run(...asRoot("unshare", ["--mount", "sh", "-c", BOOTED, "sh", ...arguments_(places), unit]), { log });
  } catch (error) {
    const end = existsSync(said) ? readFileSync(said, "utf8").split("\n").slice(-60).join("\n") : "(the tests have not begun)";
    throw error instanceof Problem ? new Problem(`${error.message}\n\nThe end of ${said}:\n\n${end}`) : error;
  } finally {
    if (existsSync(said)) readFileSync(said, "utf8").split("\n").forEach(onLine);
  }
}
