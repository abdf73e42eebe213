/** The running farm that the tests use: described by the file that `ORIEL_DEMO` names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Account {
  user_name: string;
  password: string;
  groups: string[];
  /** The account on the session host that its sessions run as. */
  os_account: string;
}

export interface Demo {
  portal: string;
  management: string;
  api_token: string;
  /** The farm authority's certificate. */
  authority_file: string;
  accounts: Account[];
  /** Who may do everything in the management portal. */
  administrator?: { user_name: string; password: string };
  /** The folder of everything that the farm keeps. */
  data: string;
  /** The process that starts broker, gateway and agent. */
  pid: number;
}

/** Screenshots and what is left of failures. */
export const OUTPUT = join(import.meta.dirname, '../../test-output');

export function readDemo(): Demo {
  const path = process.env.ORIEL_DEMO;
  if (!path) {
    throw new Error('ORIEL_DEMO must name the demo.json of a running farm, for example demo-data/demo.json after `make demo`.');
  }
  return JSON.parse(readFileSync(path, 'utf8')) as Demo;
}

/** Someone who is in the group. */
export function accountOf(demo: Demo, group: string): Account {
  const account = demo.accounts.find((each) => each.groups.includes(group));
  if (!account) throw new Error(`The demo has no account in the group ${group}.`);
  return account;
}

export function homeOf(account: Account): string {
  const home = findHome(account);
  if (!home) throw new Error(`The host has no account ${account.os_account}: no session of ${account.user_name} has run yet.`);
  return home;
}

/** Empty while the account has not been made. */
export function findHome(account: Account): string {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === account.os_account);
  return entry?.[5] ?? '';
}
