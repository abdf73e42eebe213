/** Words of fields and choices. A name that means different things in different places has words for each. */
import i18next, { type TFunction } from 'i18next';
import type { FieldChange } from '@oriel/api/management';
import { alongPath } from './fields.ts';

export function labelOf(schema: string, name: string, t: TFunction): string {
  const own = `field_of.${schema}.${name}`;
  if (i18next.exists(own)) return t(own);
  const general = `field.${name}`;
  return i18next.exists(general) ? t(general) : name.replaceAll('_', ' ');
}

/** A sentence of help; most fields need none. */
export function helpOf(schema: string, name: string, t: TFunction): string | undefined {
  const own = `help_of.${schema}.${name}`;
  if (i18next.exists(own)) return t(own);
  const general = `help.${name}`;
  return i18next.exists(general) ? t(general) : undefined;
}

export function choiceOf(schema: string | undefined, value: string, t: TFunction): string {
  const key = `choice.${schema}.${value}`;
  return i18next.exists(key) ? t(key) : value;
}

/** What a changed field is called: "Sessions › Most sessions". */
export function nameOfChange(kind: string, { field, before, after }: FieldChange, spec: unknown, t: TFunction): string {
  const [first = '', ...rest] = field.split('.');
  if (first !== 'spec' || rest.length === 0) return labelOf('Object', first, t);
  void before;
  void after;
  const along = alongPath(kind, rest, spec).map(({ schema, name }) => labelOf(schema, name, t));
  return [...along, ...rest.slice(along.length)].join(' › ');
}
