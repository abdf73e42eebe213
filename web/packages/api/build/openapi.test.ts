import { describe, expect, it } from 'vitest';
import { committed, generate, write } from './openapi.ts';

describe('what is generated from docs/openapi.json', () => {
  // When this fails: `npm run generate`.
  it('is what the document says', () => {
    if (process.env.ORIEL_UPDATE === '1') write(generate());
    expect(committed()).toEqual(generate());
  });

  it('has types and fields of what a document may hold', () => {
    const document = {
      components: {
        schemas: {
          Host: {
            description: 'A machine.',
            type: 'object',
            properties: {
              pool: { type: 'string', 'x-oriel-kind': 'pool' },
              mode: { allOf: [{ $ref: '#/components/schemas/Mode' }], default: 'on' },
              limit: { type: ['integer', 'null'], minimum: 1 },
              source: {
                oneOf: [
                  { type: 'object', properties: { from: { type: 'string', const: 'all' } }, required: ['from'] },
                  {
                    type: 'object',
                    properties: { from: { type: 'string', const: 'some' }, names: { type: 'array', items: { type: 'string' } } },
                    required: ['from', 'names'],
                  },
                ],
              },
            },
            required: ['pool'],
          },
          Mode: { oneOf: [{ type: 'string', const: 'on' }, { type: 'string', const: 'off' }] },
        },
      },
    };
    const { types, fields } = generate(JSON.stringify(document));
    expect(types).toContain('/** A machine. */\nexport type Host = {');
    expect(types).toContain('limit?: (number | null);');
    expect(types).toContain('export type Mode = ("on" | "off");');
    expect(JSON.parse(fields)).toEqual({
      host: {
        is: 'record',
        name: 'Host',
        fields: {
          pool: { is: 'link', kind: 'pool', required: true },
          mode: { is: 'choice', of: ['on', 'off'], name: 'Mode', default: 'on' },
          limit: { is: 'number', min: 1, nullable: true },
          source: { is: 'variant', by: 'from', of: { all: {}, some: { names: { is: 'list', of: { is: 'text' }, required: true } } } },
        },
      },
    });
  });
});
