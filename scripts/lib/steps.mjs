// Long work shows progress: each step has a name, a line that moves while it runs, and its seconds
// at the end. The output of what it runs goes to a log, of which the end is shown when it fails.

import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const isTerminal = process.stdout.isTTY;
const finished = [];

/** Runs `work(report)`; `report(text)` replaces what the moving line says. Returns its result. */
export async function step(name, work) {
  const started = Date.now();
  let text = "";
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const show = () => {
    if (isTerminal) {
      process.stdout.write(`\r\x1b[K… ${name}${text ? `: ${text}` : ""} (${seconds()} s)`.slice(0, (process.stdout.columns || 100) + 4));
    } else {
      console.log(`… ${name}${text ? `: ${text}` : ""} (${seconds()} s)`);
    }
  };
  if (!isTerminal) console.log(`… ${name}`);
  const timer = setInterval(show, isTerminal ? 250 : 20_000);
  try {
    const result = await work((now) => { text = now; });
    done(name, started, "✓");
    return result;
  } catch (error) {
    done(name, started, "✗");
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function done(name, started, mark) {
  const seconds = (Date.now() - started) / 1000;
  finished.push({ name, seconds, mark });
  process.stdout.write(`${isTerminal ? "\r\x1b[K" : ""}${mark} ${name} (${seconds.toFixed(1)} s)\n`);
}

/** The steps so far with their seconds, so that growth is a decision. */
export function printTimes() {
  console.log("\nSeconds per step:");
  for (const { name, seconds, mark } of finished) {
    console.log(`${seconds.toFixed(1).padStart(8)}  ${mark} ${name}`);
  }
}

/** A failure that a person can act on: shown without a stack. */
export class Problem extends Error {}

/**
 * Runs a command with its output in `log`. `onLine` sees every line.
 * Throws a Problem with the end of the output when it fails.
 */
export function run(command, args, { log, cwd, env, onLine, input } = {}) {
  mkdirSync(dirname(log), { recursive: true });
  const file = createWriteStream(log, { flags: "a" });
  file.write(`$ ${[command, ...args].join(" ")}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    if (input !== undefined) child.stdin.end(input);
    let rest = "";
    const take = (chunk) => {
      file.write(chunk);
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => reject(new Problem(`${command} cannot be started: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (rest) onLine?.(rest);
      file.end(() => {
        if (code === 0) return resolve();
        const end = readFileSync(log, "utf8").split("\n").slice(-60).join("\n");
        reject(new Problem(`${command} ${args[0] ?? ""} failed (${signal ?? `exit ${code}`}). The end of ${log}:\n\n${end}`));
      });
    });
  });
}

/** Ends the script with a sentence instead of a stack where a person can act on it. */
export function main(work) {
  work().catch((error) => {
    console.error(`\n${error instanceof Problem ? error.message : error.stack}`);
    process.exitCode = 1;
  }).finally(() => { if (process.exitCode) process.exit(); });
}
