// Renders the built-in icons: crates/oriel-broker/icons/*.svg, drawn by hand, to the PNG beside each.
// Only after a drawing was changed; the pictures are committed. Needs librsvg2-bin.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Width and height of the pictures, in pixels: ICON_SIDE_MAX of oriel-model. */
const SIDE = "256";

const folder = join(import.meta.dirname, "../crates/oriel-broker/icons");
for (const drawing of readdirSync(folder).filter((name) => name.endsWith(".svg"))) {
  const picture = drawing.replace(/\.svg$/, ".png");
  execFileSync("rsvg-convert", ["-w", SIDE, "-h", SIDE, drawing, "-o", picture], { cwd: folder, stdio: "inherit" });
}
