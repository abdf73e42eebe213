// Debian's Chromium, for what is measured in it.

import { X509Certificate, createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { connect } from "node:tls";
import { ROOT } from "./build.mjs";

/** A browser that trusts whoever listens at `host` and `port`, and nobody more than it otherwise would. */
export async function launchBrowser(port, host = "127.0.0.1") {
  const { chromium } = createRequire(join(ROOT, "web/package.json"))("playwright-core");
  return chromium.launch({
    executablePath: process.env.ORIEL_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
      // As if the certificate were from an authority that the browser knows: it keeps nothing in its
      // cache of sites whose certificate it was only told to bear with.
      `--ignore-certificate-errors-spki-list=${await publicKeyDigest(port, host)}`,
    ],
  });
}

/** SHA-256 of the public key in the certificate of whoever listens there, base64. */
function publicKeyDigest(port, host) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, rejectUnauthorized: false }, () => {
      const key = new X509Certificate(socket.getPeerCertificate().raw).publicKey.export({ type: "spki", format: "der" });
      socket.destroy();
      resolve(createHash("sha256").update(key).digest("base64"));
    });
    socket.on("error", reject);
  });
}
