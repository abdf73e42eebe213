import { expect, it } from 'vitest';
import { anyOf } from './filter.ts';

it('puts the words of a search to any of several fields, whatever stands in them', () => {
  expect(anyOf(['user_name', 'host_name'], 'a, b|"c"')).toBe('user_name~:"a, b|c"|host_name~:"a, b|c"');
});
