// What the demo publishes, and to whom.

import { randomBytes } from "node:crypto";
import { password } from "./farm.mjs";
import { Problem } from "./steps.mjs";

const GROUPS = { Office: "Writes and calculates", Engineering: "Draws and administers" };

const USERS = [
  { name: "anna", full_name: "Anna Berg", groups: ["Office"] },
  { name: "ben", full_name: "Ben Okafor", groups: ["Engineering"] },
];

const FOLDERS = ["Office", "Tools"];

/** `app`: name of the desktop entry that the host reports. */
const APPLICATIONS = [
  { app: "org.xfce.mousepad", name: "Text Editor", folder: "Office", groups: ["Office", "Engineering"] },
  { app: "galculator", name: "Calculator", folder: "Office", groups: ["Office", "Engineering"] },
  { app: "pcmanfm", name: "Files", folder: "Office", groups: ["Office"] },
  { app: "mtpaint", name: "Drawing", folder: "Tools", groups: ["Engineering"] },
  { app: "lxterminal", name: "Terminal", folder: "Tools", groups: ["Engineering"] },
];

/** Sets the demo up on a farm that has just been made; gives its users' accounts and its administrator's. */
export async function publishDemo(farm, report) {
  const pool = (await farm.api("GET", "/pools")).items[0];
  const settings = { ...pool.spec.settings, accounts: "create", linger_disconnect_secs: 0 };
  await farm.api("PUT", `/pools/${pool.id}`, { name: pool.name, revision: pool.revision, spec: { ...pool.spec, settings } });

  report("groups and users");
  const groups = {};
  for (const [name, description] of Object.entries(GROUPS)) {
    groups[name] = (await farm.api("POST", "/groups", { name, spec: { description } })).id;
  }
  const accounts = [];
  // Accounts of this demo's own: another demo on this machine must not remove them with its own.
  const mark = randomBytes(2).toString("hex");
  for (const user of USERS) {
    const account = { user_name: user.name, password: password(), groups: user.groups, os_account: `oriel-${user.name}-${mark}` };
    await farm.api("POST", "/users", {
      name: user.name,
      password: account.password,
      spec: { full_name: user.full_name, account: account.os_account, groups: user.groups.map((name) => groups[name]) },
    });
    accounts.push(account);
  }

  const administrator = { user_name: "admin", password: password() };
  const user = await farm.api("POST", "/users", {
    name: administrator.user_name, password: administrator.password, spec: { full_name: "Ada Ministrator" },
  });
  await farm.api("POST", "/administrators", { name: administrator.user_name, spec: { who: { user: user.id }, role: "root" } });

  report("folders and programs");
  const folders = {};
  for (const [order, name] of FOLDERS.entries()) {
    folders[name] = (await farm.api("POST", "/resources", { name, spec: { target: { kind: "folder" }, order } })).id;
  }
  const host = (await farm.api("GET", "/hosts")).items[0];
  const { apps } = await farm.api("GET", `/hosts/${host.id}/apps?icons=true`);
  for (const [order, wanted] of APPLICATIONS.entries()) {
    report(wanted.name);
    const app = apps.find((candidate) => candidate.id === wanted.app);
    if (!app) {
      throw new Problem(`The host does not report the program ${wanted.app}; it has ${apps.map((a) => a.id).join(", ")}.`);
    }
    const icon = app.icon_png ? (await farm.api("POST", "/icons", Buffer.from(app.icon_png, "base64"))).id : null;
    await farm.api("POST", "/resources", {
      name: wanted.name,
      spec: {
        target: { kind: "application", program: app.program, arguments: app.arguments, source: { from: "pools", pools: [pool.id] } },
        description: app.comment, folder: folders[wanted.folder], order, icon, rules: only(wanted.groups, groups),
      },
    });
  }
  await farm.api("POST", "/resources", {
    name: "Desktop",
    spec: {
      target: { kind: "desktop", source: { from: "pools", pools: [pool.id] } },
      description: "A whole desktop of this machine", order: -1, rules: only(["Office", "Engineering"], groups),
    },
  });
  return { accounts, administrator };
}

function only(names, groups) {
  const criteria = [{ type: "group", objects: names.map((name) => groups[name]) }];
  return { rules: [{ name: names.join(" or "), effect: "allow", criteria }], otherwise: "deny" };
}
