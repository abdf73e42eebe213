import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withSudo } from "./root.mjs";

test("root gets what it needs of the environment and nothing else", () => {
  // A sudo that runs the command as it is, without any environment but what it is told.
  const folder = mkdtempSync(join(tmpdir(), "oriel-sudo-"));
  try {
    const sudo = join(folder, "sudo");
    writeFileSync(sudo, "#!/bin/sh\nexec env -i PATH=/usr/bin:/bin \"$@\"\n");
    chmodSync(sudo, 0o755);
    const environment = {
      PATH: "/usr/bin:/bin", LANG: "C", https_proxy: "http://proxy:3128", LD_PRELOAD: "evil.so", API_TOKEN: "secret",
      NODE_OPTIONS: "--require=evil",
    };
    const [command, args] = withSudo(environment, "env", [], { DEMO_DIR: "/srv/a b", GATEWAY_PORT: undefined });
    assert.equal(command, "sudo");
    const seen = execFileSync(sudo, args, { encoding: "utf8" }).trim().split("\n").sort();
    assert.deepEqual(seen, [
      "DEMO_DIR=/srv/a b", "LANG=C", "PATH=/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", "https_proxy=http://proxy:3128",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("root finds its own programs where the caller's PATH leaves them out, once and last", () => {
  const path = (PATH) => withSudo({ PATH }, "chroot", [])[1].find((word) => word.startsWith("PATH="));
  assert.equal(path("/home/u/.cargo/bin:/usr/bin"), "PATH=/home/u/.cargo/bin:/usr/bin:/usr/local/sbin:/usr/sbin:/sbin");
  assert.equal(path("/usr/sbin:/usr/bin"), "PATH=/usr/sbin:/usr/bin:/usr/local/sbin:/sbin");
  assert.equal(path(undefined), "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
});

test("no script hands over its whole environment", () => {
  const found = spawnSync("grep", ["-rnE", "sudo.*(-E|--preserve-env)\\b", join(import.meta.dirname, ".."), "--include=*.mjs", "--exclude=*.test.mjs"], { encoding: "utf8" });
  assert.equal(found.stdout, "");
  assert.equal(found.status, 1, "grep found nothing, and ran");
});
