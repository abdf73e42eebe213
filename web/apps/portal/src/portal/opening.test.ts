// @vitest-environment node
import type { Resource } from '@oriel/api';
import { expect, it } from 'vitest';
import { openingOf } from './opening.ts';

const resource = (facts: Partial<Resource>): Resource => ({
  id: 'a b',
  name: 'x',
  description: '',
  kind: 'application',
  folder: null,
  order: 0,
  icon_url: null,
  status: 'enabled',
  maintenance_message: null,
  url: null,
  start_at_sign_in: false,
  ...facts,
});

it.each([
  [{ kind: 'application' }, { in: 'session', href: '/session?resource=a%20b' }],
  [{ kind: 'document' }, { in: 'session', href: '/session?resource=a%20b' }],
  [{ kind: 'network_folder' }, { in: 'session', href: '/session?resource=a%20b' }],
  [{ kind: 'web_application', url: 'https://wiki.example/x' }, { in: 'browser', href: 'https://wiki.example/x' }],
  [{ kind: 'web_application' }, { in: 'session', href: '/session?resource=a%20b' }],
  [{ kind: 'web_application', url: 'javascript:alert(1)' }, { in: 'session', href: '/session?resource=a%20b' }],
  [{ kind: 'local_application' }, { in: 'device' }],
] as const)('%j opens %j', (facts, opening) => {
  expect(openingOf(resource(facts))).toEqual(opening);
});
