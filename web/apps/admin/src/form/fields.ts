/**
 * What there is to fill in of every kind of object, as the API's document says it (`fields.gen.json`), and the
 * pure parts of forms: reading and putting values by path, and telling two versions apart.
 */
import generated from '@oriel/api/fields';
import type { FieldChange } from '@oriel/api/management';

export interface Facts {
  /** The schema's name: words are found under it. */
  name?: string;
  nullable?: boolean;
  required?: boolean;
  default?: unknown;
}

export type Fields = Record<string, Field>;

export type Field = Facts &
  (
    | { is: 'switch' | 'time' | 'local_time' | 'moment' | 'date' }
    | { is: 'text'; max?: number }
    | { is: 'number'; min?: number; max?: number; word?: string }
    | { is: 'choice'; of: string[] }
    | { is: 'link'; kind: string }
    | { is: 'list' | 'map'; of: Field }
    | { is: 'record'; fields: Fields }
    | { is: 'either'; of: Fields }
    | { is: 'variant'; by: string; of: Record<string, Fields>; fields?: Fields }
  );

export type RecordField = Extract<Field, { is: 'record' }>;
export type Spec = Record<string, unknown>;
export type Path = readonly string[];

/** What must be said comes first: it is what the object is about. */
function inOrder(field: Field): Field {
  const sort = (fields: Fields): Fields =>
    Object.fromEntries(
      Object.entries(fields)
        .map(([name, each]) => [name, inOrder(each)] as const)
        .toSorted(([, a], [, b]) => Number(b.required ?? false) - Number(a.required ?? false)),
    );
  return field.is === 'record' ? { ...field, fields: sort(field.fields) } : field;
}

export const FORMS = Object.fromEntries(
  Object.entries(generated).map(([kind, form]) => [kind, inOrder(form as unknown as Field)]),
) as Record<string, RecordField>;

export const formOf = (kind: string): RecordField => FORMS[kind] ?? { is: 'record', fields: {} };

export const isSpec = (value: unknown): value is Spec => typeof value === 'object' && value !== null && !Array.isArray(value);

export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((within, step) => (isSpec(within) ? within[step] : undefined), value);
}

/** The value with another one at the path; undefined takes the field away. */
export function put(value: Spec, path: Path, to: unknown): Spec {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const inner = rest.length === 0 ? to : put(isSpec(value[step]) ? (value[step] as Spec) : {}, rest, to);
  const { [step]: _, ...others } = value;
  return inner === undefined ? others : { ...value, [step]: inner };
}

/** The fields of a value: of a variant, those of the alternative that it is. */
export function fieldsOf(field: Field, value: unknown): Fields {
  if (field.is === 'record') return field.fields;
  if (field.is === 'either') return Object.fromEntries(Object.entries(field.of).filter(([name]) => at(value, [name]) !== undefined));
  if (field.is === 'variant') return { ...field.fields, ...field.of[String(at(value, [field.by]))] };
  return {};
}

export interface Found {
  field: Field;
  /** The schema that the field belongs to, and its name there. */
  schema: string;
  name: string;
}

/** The fields that a path leads through; fewer where the document does not know the rest. */
export function alongPath(kind: string, path: Path, value?: unknown): Found[] {
  const found: Found[] = [];
  let field: Field = formOf(kind);
  let here = value;
  for (const name of path) {
    // Which entry of a list it is, the path does not say.
    while (field.is === 'list') field = field.of;
    const next: Field | undefined = fieldsOf(field, here)[name] ?? anyOf(field, name);
    if (!next) break;
    found.push({ field: next, schema: field.name ?? '', name });
    here = at(here, [name]);
    field = next;
  }
  return found;
}

function anyOf(field: Field, name: string): Field | undefined {
  if (field.is === 'either') return field.of[name];
  return field.is === 'variant' ? Object.values(field.of).find((fields) => name in fields)?.[name] : undefined;
}

/** What a new object begins with: what must be said, and what the document says holds otherwise. */
export function initial(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.nullable) return null;
  switch (field.is) {
    case 'switch':
      return false;
    case 'number':
      return field.min ?? 0;
    case 'choice':
      return field.of[0];
    case 'list':
      return [];
    case 'record':
      return Object.fromEntries(
        Object.entries(field.fields).flatMap(([name, each]) =>
          each.required || (each.default !== undefined && !each.nullable) ? [[name, initial(each)]] : [],
        ),
      );
    case 'variant': {
      const [first = ''] = Object.keys(field.of);
      return alternative(field, first);
    }
    case 'either':
      return { [Object.keys(field.of)[0] ?? '']: '' };
    case 'map':
      return {};
    default:
      return '';
  }
}

/** An alternative of a variant with nothing filled in. */
export function alternative(field: Extract<Field, { is: 'variant' }>, mark: string): Spec {
  const fields = Object.entries(field.of[mark] ?? {}).filter(([, each]) => each.required || each.default !== undefined);
  return { [field.by]: mark, ...Object.fromEntries(fields.map(([name, each]) => [name, initial(each)])) };
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isSpec(value)) return value ?? null;
  return Object.fromEntries(Object.keys(value).toSorted().map((name) => [name, sorted(value[name])]));
}

/** What differs between two versions, field by field. Lists are compared whole: their order has a meaning. */
export function differences(before: unknown, after: unknown, path: Path = []): FieldChange[] {
  if (isSpec(before) && isSpec(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differences(before[name], after[name], [...path, name]));
  }
  if (same(before, after)) return [];
  // A whole section that came or went is told by its fields.
  if (isSpec(before) && (after === undefined || after === null)) return differences(before, {}, path);
  if (isSpec(after) && (before === undefined || before === null)) return differences({}, after, path);
  return [{ field: path.join('.'), before: before ?? null, after: after ?? null }];
}
