// The Debian packages that Oriel's commands need, and their installation.

import { execFileSync } from "node:child_process";
import { asRoot } from "./root.mjs";
import { Problem, run, step } from "./steps.mjs";

/** To build. */
const BUILD = ["build-essential", "mold", "ca-certificates"];

/** A session host on xrdp, and what its agent calls. */
const SESSION_HOST = [
  "xrdp", "xorgxrdp", "openbox", "libnss-extrausers", "dbus-x11", "x11-utils", "x11-xserver-utils", "xauth",
  "xfonts-base", "fonts-dejavu-core", "util-linux", "procps", "passwd", "librsvg2-bin", "hicolor-icon-theme",
  "adwaita-icon-theme", "fuse3",
];

/** Real programs to publish: terminal, editor, file manager, calculator, drawing; a panel for the desktop. */
const PROGRAMS = ["lxterminal", "mousepad", "pcmanfm", "galculator", "mtpaint", "tint2", "hsetroot"];

/** OpenLDAP's server, and what makes Samba a domain controller of Active Directory. */
const DIRECTORIES = [
  "slapd", "ldap-utils", "samba", "samba-dsdb-modules", "samba-vfs-modules", "samba-ad-provision", "winbind",
  "ldb-tools", "python3-samba", "python3-markdown",
];

/** Clients and servers that the tests start. */
const TESTS = [
  "chromium", "freerdp2-x11", "xvfb", "xdotool", "xclip", "xterm", "imagemagick", "iproute2", "openssl",
  "python3-venv", "zsh", "fish",
  "samba", "gvfs", "gvfs-backends", "gvfs-fuse", "libglib2.0-bin", "exim4-daemon-light", "freeradius",
  ...DIRECTORIES,
];

/** What makes and boots other Debian systems in folders. */
const OTHER_SYSTEMS = ["debootstrap", "debian-archive-keyring", "systemd-container", "util-linux"];

/** What such a system needs to be a session host in the agent's tests; FreeRDP comes on top, by its name there. */
const TESTED_HOST = [...SESSION_HOST, "xterm", "pcmanfm", "xvfb", "xdotool", "iproute2", "imagemagick",
  "samba", "gvfs", "gvfs-backends", "gvfs-fuse", "libglib2.0-bin", "systemd", "systemd-sysv", "libpam-systemd", "dbus"];

/** What figures are compared with. */
const BENCH = ["haproxy"];

/**
 * Runs its arguments while Debian starts no services of new packages: the agent runs what it needs by
 * itself. However that ends, the policy is taken back.
 */
const WITHOUT_SERVICES = `
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\\nexit 101\\n' > $policy && chmod +x $policy
  fi
  "$@"`;

export const PACKAGES = {
  demo: [...BUILD, ...SESSION_HOST, ...PROGRAMS],
  test: [...BUILD, ...SESSION_HOST, ...PROGRAMS, ...TESTS],
  hosts: [...BUILD, ...OTHER_SYSTEMS],
  debian12: [...TESTED_HOST, "freerdp2-x11"],
  debian13: [...TESTED_HOST, "freerdp3-x11"],
  bench: [...BUILD, ...SESSION_HOST, ...PROGRAMS, ...TESTS, ...BENCH],
};

/** Installs those of `names` that are not there yet. */
export async function installPackages(names, log) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  await step(`Installing ${missing.length} Debian packages`, async (report) => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    report("reading the package lists");
    await run(...asRoot("apt-get", ["-o", "DPkg::Lock::Timeout=900", "update"], env), { log, env });
    const onLine = (line) => {
      const action = line.match(/^(Get:\d+|Unpacking|Setting up) ?(.*?)( \(|$)/);
      if (action) report(action[1].startsWith("Get") ? "downloading" : `${action[1].toLowerCase()} ${action[2]}`);
    };
    const install = ["apt-get", "-o", "DPkg::Lock::Timeout=900", "install", "-y", "--no-install-recommends", ...missing];
    await run(...asRoot("sh", ["-c", WITHOUT_SERVICES, "sh", ...install], env), { log, env, onLine });
    const still = missing.filter((name) => !isInstalled(name));
    if (still.length > 0) throw new Problem(`These packages could not be installed: ${still.join(", ")}. See ${log}.`);
  });
}

function isInstalled(name) {
  try {
    const status = execFileSync("dpkg-query", ["-W", "-f", "${Status}", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return status.includes("ok installed");
  } catch {
    return false;
  }
}
