/**
 * Turns docs/openapi.json, the contract of the management API, into what the pages need of it: the types of
 * all that is sent and answered, and a description of every settings object's fields that forms are drawn
 * from. A test fails when the files are not those of the document; `npm run generate` writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENT = join(import.meta.dirname, '../../../../docs/openapi.json');
const TYPES = join(import.meta.dirname, '../src/management.gen.ts');
const FIELDS = join(import.meta.dirname, '../src/fields.gen.json');

/** What an administrator fills in, by the kind of object. */
const FORMS = {
  farm: 'Farm', site: 'Site', broker: 'Broker', gateway: 'Gateway', pool: 'Pool', host: 'Host', group: 'Group', directory: 'Directory', user: 'User',
  resource: 'Resource', policy: 'Policy', logon_hours: 'LogonHours', schedule: 'Schedule', token: 'TokenSettings',
  invitation: 'InvitationSettings', administrator: 'Administrator', notification: 'Notification',
};

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  prefixItems?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  'x-oriel-kind'?: string;
}

type Schemas = Record<string, Schema>;

export interface Generated {
  types: string;
  fields: string;
}

export function generate(document = readFileSync(DOCUMENT, 'utf8')): Generated {
  const { components } = JSON.parse(document) as { components: { schemas: Schemas } };
  const schemas = components.schemas;
  const head = '// Generated from docs/openapi.json by `npm run generate`. Not to be edited.\n';
  const types = Object.entries(schemas).map(([name, schema]) => comment(schema) + `export type ${name} = ${typeOf(schema)};\n`);
  const forms = Object.fromEntries(
    Object.entries(FORMS).flatMap(([kind, name]) => (schemas[name] ? [[kind, fieldOf({ $ref: `#/${name}` }, schemas)]] : [])),
  );
  return { types: `${head}\n${types.join('\n')}`, fields: JSON.stringify(forms, null, 1) + '\n' };
}

export function committed(): Generated {
  return { types: readFileSync(TYPES, 'utf8'), fields: readFileSync(FIELDS, 'utf8') };
}

export function write({ types, fields }: Generated): void {
  writeFileSync(TYPES, types);
  writeFileSync(FIELDS, fields);
}

const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1);

function comment({ description }: Schema): string {
  return description === undefined ? '' : `/** ${description.replaceAll(/\s*\n\s*/g, ' ').replaceAll('*/', '* /')} */\n`;
}

/** A schema as TypeScript writes it. */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return `(${schema.enum.map((value) => JSON.stringify(value)).join(' | ')})`;
  const parts = [schema.allOf?.map(typeOf).join(' & '), any(schema.anyOf), any(schema.oneOf)].filter((part) => part !== undefined);
  if (Array.isArray(schema.type)) parts.push(`(${schema.type.map((type) => plain(type, schema)).join(' | ')})`);
  else if (schema.type !== undefined && (parts.length === 0 || schema.properties)) parts.push(plain(schema.type, schema));
  return parts.length === 0 ? 'unknown' : parts.join(' & ');
}

const any = (schemas: Schema[] | undefined): string | undefined =>
  schemas && schemas.length > 0 ? `(${schemas.map(typeOf).join(' | ')})` : undefined;

function plain(type: string, schema: Schema): string {
  switch (type) {
    case 'integer':
      return 'number';
    case 'array':
      if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(', ')}]`;
      return schema.items && !Array.isArray(schema.items) ? `(${typeOf(schema.items)})[]` : 'unknown[]';
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(
        ([name, field]) => `${comment(field)}${name}${schema.required?.includes(name) ? '' : '?'}: ${typeOf(field)};\n`,
      );
      const others = typeof schema.additionalProperties === 'object' ? typeOf(schema.additionalProperties) : 'unknown';
      return fields.length > 0 ? `{\n${fields.join('')}}` : `Record<string, ${others}>`;
    }
    default:
      return type;
  }
}

/** A field as forms know it. Everything is written out: there are no references to follow. */
interface Field {
  is: string;
  /** The schema's name: choices and records have their words under it. */
  name?: string;
  nullable?: true;
  required?: true;
  default?: unknown;
  min?: number;
  max?: number;
  /** link: the kind of object. */
  kind?: string;
  /** choice: the values. variant: each one's fields by the value of `by`. either: the fields, one of which there is. list: what it holds. */
  of?: unknown;
  by?: string;
  fields?: Record<string, Field>;
  /** number: a word that may stand in its place. */
  word?: string;
}

function fieldOf(schema: Schema, schemas: Schemas, name?: string): Field {
  if (schema.$ref !== undefined) {
    const target = nameOf(schema.$ref);
    return fieldOf(schemas[target] ?? {}, schemas, target);
  }
  const called = name === undefined ? {} : { name };
  const alternatives = schema.anyOf ?? [];
  if (alternatives.length === 2 && alternatives.some(({ type }) => type === 'null')) {
    return { ...fieldOf(alternatives.find(({ type }) => type !== 'null') ?? {}, schemas, name), nullable: true };
  }
  const word = alternatives.find((each) => typeof each.const === 'string')?.const;
  const number = alternatives.find(({ type }) => type === 'integer');
  if (number && typeof word === 'string') return { ...fieldOf(number, schemas), word, ...called };
  if (schema.allOf?.length === 1) return { ...fieldOf(schema.allOf[0] ?? {}, schemas, name), ...defaultOf(schema) };
  if (Array.isArray(schema.type)) {
    const type = schema.type.find((each) => each !== 'null') ?? 'string';
    return { ...fieldOf({ ...schema, type }, schemas, name), ...(schema.type.includes('null') ? { nullable: true as const } : {}) };
  }
  if (schema.enum) return { is: 'choice', of: schema.enum, ...called, ...defaultOf(schema) };
  if (schema.oneOf) {
    if (schema.oneOf.every((each) => each.const !== undefined)) {
      return { is: 'choice', of: schema.oneOf.map((each) => each.const), ...called, ...defaultOf(schema) };
    }
    return variantOf(schema, schemas, called);
  }
  switch (schema.type) {
    case 'boolean':
      return { is: 'switch', ...defaultOf(schema) };
    case 'integer':
    case 'number':
      return {
        is: 'number',
        ...(schema.minimum === undefined ? {} : { min: schema.minimum }),
        ...(schema.maximum === undefined ? {} : { max: schema.maximum }),
        ...defaultOf(schema),
      };
    case 'array':
      return { is: 'list', of: fieldOf(schema.items ?? {}, schemas), ...called, ...defaultOf(schema) };
    case 'object':
      if (!schema.properties && typeof schema.additionalProperties === 'object') {
        return { is: 'map', of: fieldOf(schema.additionalProperties, schemas), ...called };
      }
      return { is: 'record', fields: fieldsOf(schema, schemas), ...called };
    default:
      if (schema['x-oriel-kind'] !== undefined) return { is: 'link', kind: schema['x-oriel-kind'] };
      return { is: FORMATS[schema.format ?? ''] ?? 'text', ...(schema.maxLength === undefined ? {} : { max: schema.maxLength }), ...defaultOf(schema) };
  }
}

const FORMATS: Record<string, string> = {
  'partial-time': 'time', 'partial-date-time': 'local_time', 'date-time': 'moment', date: 'date',
};

const defaultOf = (schema: Schema): { default?: unknown } =>
  schema.default === undefined || schema.default === null ? {} : { default: schema.default };

function fieldsOf(schema: Schema, schemas: Schemas): Record<string, Field> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, field]) => [
      name,
      { ...fieldOf(field, schemas), ...(schema.required?.includes(name) ? { required: true as const } : {}) },
    ]),
  );
}

/** Alternatives that a constant field tells apart, and what all of them have. */
function variantOf(schema: Schema, schemas: Schemas, called: { name?: string }): Field {
  const variants = schema.oneOf ?? [];
  const by = Object.entries(variants[0]?.properties ?? {}).find(([, field]) => field.const !== undefined)?.[0];
  if (by === undefined) {
    // Told apart by which field there is.
    return { is: 'either', of: Object.assign({}, ...variants.map((variant) => fieldsOf(variant, schemas))) as Record<string, Field>, ...called };
  }
  const of = Object.fromEntries(
    variants.map((variant) => {
      const fields = Object.entries(fieldsOf(variant, schemas)).filter(([name]) => name !== by);
      return [String(variant.properties?.[by]?.const), Object.fromEntries(fields)];
    }),
  );
  return { is: 'variant', by, of, ...called, ...(schema.properties ? { fields: fieldsOf(schema, schemas) } : {}) };
}
