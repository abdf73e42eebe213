// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { hrefOf, readPlace, returnAddress } from './place.ts';

describe('a place', () => {
  it.each(['/', '/?view=sessions', '/?folder=f1', '/?folder=f1&q=a+b'])('%s is read as it was written', (href) => {
    expect(hrefOf(readPlace(href.slice(1)))).toBe(href);
  });

  it.each([
    ['?next=%2Fsession%3Fresource%3Dr1', '/session?resource=r1'],
    ['?next=%2F%2Fevil.example', null],
    ['?next=https%3A%2F%2Fevil.example', null],
    ['?next=javascript%3Aalert(1)', null],
    ['?next=%2Fsession%3Fresource%3D..%2F%2Fevil', null],
    ['', null],
  ])('after signing in, %s leads to %s', (query, address) => {
    expect(returnAddress(query)).toBe(address);
  });
});
