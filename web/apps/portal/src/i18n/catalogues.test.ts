import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import de from './de.json';
import en from './en.json';

type Tree = { [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value);
    else flatten(value, `${prefix}${key}.`).forEach((text, below) => flat.set(below, text));
  }
  return flat;
}

const catalogues = { en: flatten(en), de: flatten(de) };
const roots = [join(import.meta.dirname, '..'), join(import.meta.dirname, '../../../../packages/look/src')];
const source = roots
  .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => join(root, file)))
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** Keys as the code writes them: whole, or with a part that is put in. */
const exact = new Set([...source.matchAll(/\bt\('([^']+)'/g)].map((match) => match[1] ?? ''));
const patterns = [...source.matchAll(/\bt\(`([^`]+)`/g)].map(
  (match) => new RegExp(`^${(match[1] ?? '').replaceAll('.', '\\.').replaceAll(/\$\{[^}]+\}/g, '[^.]+')}$`),
);
const singular = (key: string): string => key.replace(/_(one|other)$/, '');

describe('the catalogues', () => {
  it('have the same keys in every language', () => {
    expect([...catalogues.de.keys()].toSorted()).toEqual([...catalogues.en.keys()].toSorted());
  });

  it('have every key that the code uses', () => {
    const known = new Set([...catalogues.en.keys()].map(singular));
    expect([...exact].filter((key) => !known.has(key))).toEqual([]);
    expect(patterns.filter((pattern) => ![...known].some((key) => pattern.test(key)))).toEqual([]);
  });

  it('have no key that the code does not use', () => {
    const unused = [...catalogues.en.keys()]
      .map(singular)
      .filter((key) => !exact.has(key) && !patterns.some((pattern) => pattern.test(key)));
    expect(unused).toEqual([]);
  });

  it.each(['en', 'de'] as const)('have no empty or untrimmed text in %s', (language) => {
    expect([...catalogues[language]].filter(([, text]) => text === '' || text !== text.trim())).toEqual([]);
  });

  it('put in the same values in every language', () => {
    const values = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).toSorted();
    for (const [key, text] of catalogues.en) expect([key, values(catalogues.de.get(key) ?? '')]).toEqual([key, values(text)]);
  });
});
