/** What the farm is told about this browser; rules may depend on it. */
import type { ClientIs, OperatingSystem } from '@oriel/api';

type Facts = Omit<ClientIs, 'kind'>;

const BROWSERS: [name: string, version: RegExp][] = [
  ['Edge', /\bEdg(?:A|iOS)?\/([\d.]+)/],
  ['Opera', /\bOPR\/([\d.]+)/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/([\d.]+)/],
  ['Chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\/([\d.]+)/],
  ['Safari', /\bVersion\/([\d.]+).*Safari/],
];

const SYSTEMS: [OperatingSystem, RegExp][] = [
  ['android', /Android/],
  ['ios', /iPhone|iPad|iPod/],
  ['chrome_os', /CrOS/],
  ['windows', /Windows/],
  ['mac_os', /Mac OS X|Macintosh/],
  ['linux', /Linux/],
];

export function factsOf(userAgent: string, touchPoints = 0): Facts {
  const found = BROWSERS.map(([name, version]) => ({ name, version: version.exec(userAgent)?.[1] })).find(
    (each) => each.version !== undefined,
  );
  const system = SYSTEMS.find(([, sign]) => sign.test(userAgent))?.[0] ?? 'other';
  return {
    name: found?.name ?? 'Browser',
    version: found?.version ?? '',
    // An iPad says that it is a Mac, but no Mac has a touch screen.
    operating_system: system === 'mac_os' && touchPoints > 1 ? 'ios' : system,
  };
}
