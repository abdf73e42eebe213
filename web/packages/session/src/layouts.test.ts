import { describe, expect, it } from 'vitest';
import { LAYOUTS, layoutOf } from './layouts.ts';

const rows = (text: string): Map<string, string> =>
  new Map(text.split(' ').map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));

const US = rows("KeyQ=q KeyZ=z KeyY=y BracketLeft=[ BracketRight=] Semicolon=; Minus=- Equal== Backslash=\\ Quote=' Slash=/ Digit2=2");

describe('the keyboard layout', () => {
  it.each<[string, Map<string, string> | null, string[], number]>([
    ['German keys', rows('KeyQ=q KeyZ=y BracketLeft=ü Semicolon=ö Minus=ß'), ['en-US'], 0x407],
    ['Swiss keys', rows("KeyQ=q KeyZ=y BracketLeft=ü Semicolon=ö Minus='"), ['de-CH'], 0x807],
    ['French keys', rows('KeyQ=a KeyZ=w Minus=) Equal=='), ['en-US'], 0x40c],
    ['Belgian keys', rows('KeyQ=a KeyZ=w Minus=) Equal=-'), ['nl-BE'], 0x80c],
    ['British keys', rows('KeyQ=q KeyZ=z BracketLeft=[ Semicolon=; Backslash=#'), ['de'], 0x809],
    ['US keys of a German', US, ['de-DE'], 0x409],
    ['US keys of a Pole', US, ['pl'], 0x415],
    ['Finnish keys', rows('KeyQ=q KeyZ=z BracketLeft=å Semicolon=ö'), ['fi'], 0x40b],
    ['Swedish keys', rows('KeyQ=q KeyZ=z BracketLeft=å Semicolon=ö'), ['sv'], 0x41d],
    ['no keys, Austrian', null, ['de-AT', 'en'], 0x407],
    ['no keys, Canadian French', null, ['fr-CA'], 0x1009],
    ['no keys, Mexican', null, ['es-MX'], 0x80a],
    ['no keys, unknown language', null, ['eo'], 0x409],
    ['no keys, no language', null, [], 0x409],
    ['an empty map', new Map(), ['it'], 0x410],
  ])('%s', (_name, keys, languages, id) => {
    expect(layoutOf(keys, languages)).toBe(id);
  });

  it('has each layout once', () => {
    expect(new Set(LAYOUTS.map((layout) => layout.id)).size).toBe(LAYOUTS.length);
    expect(new Set(LAYOUTS.map((layout) => layout.name)).size).toBe(LAYOUTS.length);
  });
});
