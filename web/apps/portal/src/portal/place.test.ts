// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { hrefOf, readPlace } from './place.ts';

describe('a place', () => {
  it.each(['/', '/?view=sessions', '/?folder=f1', '/?folder=f1&q=a+b'])('%s is read as it was written', (href) => {
    expect(hrefOf(readPlace(href.slice(1)))).toBe(href);
  });
});
