import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import german from './sentences.de.json';
import { Translation, type Sentences } from './sentences.ts';

const crates = join(import.meta.dirname, '../../../../../crates');

/** Where sentences are made that a page of the portal can show. */
const SOURCES = [
  'oriel-model/src', 'oriel-rules/src/clients.rs', 'oriel-rules/src/schedule', 'oriel-rules/src/schedule.rs',
  'oriel-store/src/error.rs', 'oriel-store/src/blob.rs', 'oriel-store/src/chain.rs', 'oriel-store/src/transaction.rs',
  'oriel-identity/src/directory.rs', 'oriel-identity/src/password.rs', 'oriel-identity/src/policy.rs', 'oriel-identity/src/sign_in.rs',
  'oriel-broker/src/app', 'oriel-broker/src/directories', 'oriel-broker/src/hosts', 'oriel-broker/src/http/admin', 'oriel-broker/src/http/problem', 'oriel-broker/src/notifications',
  'oriel-broker/src/schedules', 'oriel-broker/src/throttle.rs', 'oriel-broker/src/enrolment.rs', 'oriel-broker/src/farm/feed.rs',
];

/** Said where no page listens: at a start, on a terminal, to components. */
const ELSEWHERE = new Set([
  'unknown role "{0}": expected broker, gateway or agent',
  'your hours cannot be extended any further',
  'you are signed out',
  'your password has expired or must be changed',
  'the directory that knows you does not answer',
  'the user name or the password is wrong',
  'the answer has {size} bytes; at most {0} are kept',
  "the farm's own keys are not in this backup, so gateways and hosts would not trust what is made of it: start a new farm, import the backup there with oriel import, and let gateways and hosts join again",
  'the settings store {0} is in use by {by}; a settings store on SQLite serves one broker at a time',
  'the settings store {0} has schema {found}, which is newer than schema {known} of this program; start it with the version that it was last used with, or a later one',
  '"{0}" is not the address of a settings store: expected sqlite:FILE, such as sqlite:/var/lib/oriel/settings.db',
  '{0} is not a settings store',
  'the farm key does not belong to the settings store {0}',
  'the settings store {0} has no space left, so it cannot be opened; make room where it lies',
  'the settings store {0} cannot be opened: {reason}',
]);

const LITERAL = String.raw`"((?:[^"\\]|\\.)*)"`;
const CALLS = [
  String.raw`\b(?:mistakes?|m)\.add\([^;]*?,\s*(?:format!\(\s*)?${LITERAL}`,
  String.raw`\bmessage:\s*(?:format!\(\s*)?${LITERAL}`,
  String.raw`#\[error\(\s*${LITERAL}`,
  String.raw`\badvice\(\s*(?:format!\(\s*)?${LITERAL}`,
  String.raw`(?:ApiError|Self)::new\(\s*(?:StatusCode::)?\w+,\s*"\w+",\s*(?:format!\(\s*)?${LITERAL}`,
  String.raw`\b(?:bad_request|not_found|refused|invalid|NotRevertible|too_large)\(\s*(?:format!\(\s*)?${LITERAL}`,
].map((call) => new RegExp(call, 'gs'));

/** A text as Rust writes it, as the catalogue does: values that are constants or have no name are counted. */
function asKey(text: string): string {
  let next = 0;
  return text
    .replaceAll(/\\\n\s*/g, '').replaceAll(/\\(["\\])/g, '$1')
    .replaceAll(/\{([^{}]*)\}/g, (_, inside: string) => {
      const name = inside.split(':')[0] ?? '';
      return /^[a-z]\w*$/.test(name) || /^\d+$/.test(name) ? `{${name}}` : `{${next++}}`;
    });
}

function files(): string[] {
  return SOURCES.flatMap((source) => {
    const path = join(crates, source);
    const all = source.endsWith('.rs') ? [path] : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => join(path, file));
    return all.filter((file) => file.endsWith('.rs') && !/[\\/]tests?(\.rs|[\\/])/.test(file));
  });
}

/** The titles of the codes of refusals. */
const titles = (): string[] => {
  const codes = readFileSync(join(crates, 'oriel-broker/src/http/problem/codes.rs'), 'utf8');
  return [...codes.matchAll(/\bcode\(\s*"\w+",\s*&\[[^\]]*\],\s*"([^"]*)"/g)].map((match) => match[1] ?? '');
};

const code = files().map((file) => readFileSync(file, 'utf8').replaceAll(`'"'`, '').split(/#\[cfg\(test\)\]\s*\nmod tests/)[0] ?? '');
const isSentence = (text: string): boolean => /[a-z]\w* \S/i.test(text);
const said = new Set(code.flatMap((text) => CALLS.flatMap((call) => [...text.matchAll(call)].map((match) => asKey(match[1] ?? '')))).filter(isSentence));
const written = new Set(code.flatMap((text) => [...text.matchAll(new RegExp(LITERAL, 'gs'))].map((match) => asKey(match[1] ?? ''))));

describe("the catalogue of the server's sentences", () => {
  it('has every sentence that the server says in a refusal', () => {
    expect(said.size).toBeGreaterThan(200);
    expect([...said].filter((text) => !(text in german) && !ELSEWHERE.has(text)).toSorted()).toEqual([]);
  });

  it('has the title of every code', () => {
    expect(titles().length).toBeGreaterThan(40);
    expect(titles().filter((title) => !(title in german))).toEqual([]);
  });

  it('has none that the server does not say', () => {
    const values = (text: string) => text.replaceAll(/\{\w+\}/g, '{}');
    const known = new Set([...written].map(values));
    expect(Object.keys(german).filter((text) => !known.has(values(text)))).toEqual([]);
  });

  it('puts in the same values', () => {
    const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).toSorted();
    for (const [text, translated] of Object.entries(german as Sentences)) expect([text, values(translated)]).toEqual([text, values(text)]);
  });
});

describe('a sentence in German', () => {
  const translation = new Translation(german, new Map([['user', 'Benutzer']]));

  it.each([
    ['must not be empty', 'darf nicht leer sein'],
    ['is 7; must be from 1 to 5', 'ist 7; muss von 1 bis 5 sein'],
    ['is "abc"; must be a whole number from 0 to 65535', 'ist "abc"; muss eine ganze Zahl von 0 bis 65535 sein'],
    ['There is already a user named "alice".', 'Benutzer „alice“ gibt es schon.'],
    ['There is already a user named "user".', 'Benutzer „user“ gibt es schon.'],
    ['The launch failed: the host is draining.', 'Der Start ist fehlgeschlagen: der Host wird geleert.'],
    ['There is no such user. Choose another name.', 'Diesen Benutzer gibt es nicht. Einen anderen Namen wählen.'],
    ['xrdp does not start: exit status 1', 'xrdp does not start: exit status 1'],
    ['', ''],
  ])('%s', (english, expected) => {
    expect(translation.of(english)).toBe(expected);
  });

  it('is found in no time, whatever a server says', () => {
    expect(translation.of('is ; must be from to '.repeat(90))).toContain('must be');
    expect(translation.of('x'.repeat(100_000))).toHaveLength(100_000);
  });
});
