import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AREAS } from '../audit/codes.ts';
import { FORMS, type Field } from '../form/fields.ts';
import { KINDS } from '../kinds.ts';
import modelDe from './model.de.json';
import modelEn from './model.en.json';
import uiDe from './ui.de.json';
import uiEn from './ui.en.json';

type Tree = { [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value);
    else flatten(value, `${prefix}${key}.`).forEach((text, below) => flat.set(below, text));
  }
  return flat;
}

const ui = { en: flatten(uiEn), de: flatten(uiDe) };
const model = { en: flatten(modelEn), de: flatten(modelDe) };
const roots = [join(import.meta.dirname, '..'), join(import.meta.dirname, '../../../../packages/look/src')];
const source = roots
  .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => join(root, file)))
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

const singular = (key: string): string => key.replace(/_(zero|one|other)$/, '');
const known = new Set([...ui.en.keys(), ...model.en.keys()].map(singular));

/** Keys as the code writes them: whole (also as one of two), or with a part that is put in. */
const exact = new Set([...source.matchAll(/\bt\('([^']+)'/g)].map((match) => match[1] ?? ''));
const alternatives = [...source.matchAll(/\bt\([^'`()]*\? '([^']+)' : '([^']+)'/g)].flatMap((match) => [match[1] ?? '', match[2] ?? '']);
const quoted = new Set([...source.matchAll(/'([a-z_]+(?:\.[a-z_]+)*)'/g)].map((match) => match[1] ?? ''));
const patterns = [...source.matchAll(/\bt\((?:[^'`()]*\? )?`([^`]+)`(?: : `([^`]+)`)?|name: `([^`]+)`/g)]
  .flatMap((match) => match.slice(1).filter((key) => key !== undefined))
  .map((key) => new RegExp(`^${key.replaceAll('.', '\\.').replaceAll(/\$\{[^}]+\}/g, '[^.]+')}$`),
);

describe('the catalogues', () => {
  it.each([['ui', ui], ['model', model]] as const)('%s have the same keys in every language', (_, { en, de }) => {
    expect([...de.keys()].toSorted()).toEqual([...en.keys()].toSorted());
  });

  it('have every key that the code uses', () => {
    expect([...exact, ...alternatives].filter((key) => !known.has(key))).toEqual([]);
    expect(patterns.filter((pattern) => ![...known].some((key) => pattern.test(key)))).toEqual([]);
  });

  it('have no key that the code does not use', () => {
    const isUsed = (key: string) => exact.has(key) || quoted.has(key) || patterns.some((pattern) => pattern.test(key));
    expect([...ui.en.keys()].map(singular).filter((key) => !isUsed(key))).toEqual([]);
  });

  it('have a word for every code of the log, and for what each is about', () => {
    const needed = AREAS.flatMap(({ area, codes }) => [`audit.area.${area}`, ...codes.map((code) => `audit.code.${code}`)]);
    expect(needed.filter((key) => !known.has(key))).toEqual([]);
  });

  it('have a word for every detail that the log tells, and no other', () => {
    const rust = join(import.meta.dirname, '../../../../../crates');
    const files = ['oriel-broker/src/app/audit/event.rs', 'oriel-broker/src/app/audit/mod.rs', 'oriel-store/src/sqlite/log.rs'];
    const told = files.flatMap((file) => [...readFileSync(join(rust, file), 'utf8').matchAll(/\.detail\((?:"(\w+)"|chain::(\w+))/g)].map((match) => `audit.detail.${match[1] ?? match[2]?.toLowerCase()}`));
    // It has a line of its own.
    const named = new Set(told.filter((key) => key !== 'audit.detail.why'));
    expect([...ui.en.keys()].filter((key) => key.startsWith('audit.detail.')).toSorted()).toEqual([...named].toSorted());
  });

  it('put in the same values in every language, and have no empty text', () => {
    const values = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).toSorted();
    for (const { en, de } of [ui, model]) {
      for (const [key, text] of en) {
        expect([key, values(de.get(key) ?? '')]).toEqual([key, values(text)]);
        expect([key, text.trim(), de.get(key)?.trim()]).toEqual([key, text, de.get(key)]);
        expect(text === '' || de.get(key) === '').toBe(false);
      }
    }
  });
});

/** Every field and choice that a form can show, with the schema that it belongs to. */
function wordsOf(field: Field, found: Set<string>): Set<string> {
  const name = field.name ?? '';
  const each = (fields: Record<string, Field>) => {
    for (const [key, inner] of Object.entries(fields)) {
      if (!known.has(`field.${key}`) && !known.has(`field_of.${name}.${key}`)) found.add(`field.${key}`);
      wordsOf(inner, found);
    }
  };
  const choice = (value: string) => {
    if (!known.has(`choice.${name}.${value}`)) found.add(`choice.${name}.${value}`);
  };
  if (field.is === 'record') each(field.fields);
  if (field.is === 'choice') field.of.forEach(choice);
  if (field.is === 'number' && field.word !== undefined) choice(field.word);
  if (field.is === 'either') each(field.of);
  if (field.is === 'list' || field.is === 'map') wordsOf(field.of, found);
  if (field.is === 'variant') {
    Object.entries(field.of).forEach(([mark, fields]) => {
      choice(mark);
      each(fields);
    });
    if (field.fields) each(field.fields);
  }
  return found;
}

describe('the words of the model', () => {
  it.each(Object.keys(FORMS))('are there for every field and choice of %s', (kind) => {
    expect([...wordsOf(FORMS[kind] as Field, new Set())]).toEqual([]);
  });

  it('are words of a form that there is for every kind', () => {
    expect(KINDS.map(({ kind }) => kind).filter((kind) => !(kind in FORMS))).toEqual([]);
  });

  it('are there for every kind', () => {
    const words = KINDS.flatMap(({ kind }) => ['one', 'many', 'add', 'nothing', 'about'].map((word) => `kinds.${kind}.${word}`));
    expect(words.filter((key) => !known.has(key))).toEqual([]);
  });
});
