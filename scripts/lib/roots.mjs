// Debian systems in folders, made once and kept, for tests on another Debian than this one.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { asRoot } from "./root.mjs";
import { Problem, run } from "./steps.mjs";

const MIRROR = process.env.DEBIAN_MIRROR ?? "http://deb.debian.org/debian";

/**
 * Runs the rest of its arguments in the folder "$1" as in a system of its own, as the folder is: what it
 * writes stays. All mounts lie in a namespace of this script, so they are gone with it, however it ends.
 */
const IN_FOLDER = `
  set -eu
  root=$1; shift
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  cat /etc/resolv.conf > "$root/etc/resolv.conf"
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"`;

/**
 * The folder of a Debian with `packages`, made if it is not there yet: minutes then, nothing later.
 * Packages start no services, but whoever boots the folder gets those that they enable.
 */
export async function debianRoot({ folder, suite, packages, log, report }) {
  const stamp = `${folder}.stamp`;
  const wanted = createHash("sha256").update(JSON.stringify([suite, MIRROR, [...packages].sort()])).digest("hex");
  if (existsSync(folder) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const fresh = `${folder}.new`;
  mkdirSync(dirname(folder), { recursive: true });
  await removeRoot(folder, log);
  await removeRoot(fresh, log);
  report("the base system");
  await run(...asRoot("debootstrap", ["--variant=minbase", "--merged-usr", suite, fresh, MIRROR]), {
    log, onLine: (line) => report(line.replace(/^I: /, "").slice(0, 60)),
  });
  const inside = (...command) =>
    run(...asRoot("unshare", ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", IN_FOLDER, "sh", fresh, ...command]), {
      log, onLine: (line) => /^(Unpacking|Setting up)/.test(line) && report(line.slice(0, 60)),
    });
  const policy = "/usr/sbin/policy-rc.d";
  await inside("sh", "-c", `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod +x ${policy}`);
  await inside("apt-get", "install", "-y", "--no-install-recommends", ...packages);
  await inside("sh", "-c", `rm ${policy} && apt-get clean`);
  await run(...asRoot("mv", [fresh, folder]), { log });
  writeFileSync(stamp, wanted);
}

/** Removes a folder, unless something is mounted in it: that might be anybody's files. */
async function removeRoot(folder, log) {
  if (!existsSync(folder)) return;
  const mounted = readFileSync("/proc/self/mountinfo", "utf8").split("\n").map((line) => line.split(" ")[4]);
  const inside = mounted.find((path) => path === folder || path?.startsWith(`${folder}/`));
  if (inside) throw new Problem(`${folder} is to be made anew, but something is mounted on ${inside}. Unmount it first.`);
  await run(...asRoot("rm", ["-rf", "--one-file-system", folder]), { log });
}
