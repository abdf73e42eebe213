/** Where a value comes from: set on the object itself, or inherited from a pool, a site or the product. */
import type { Level } from '@oriel/api/management';
import { at, isSpec, type Path } from '../form/fields.ts';
import type { Shown } from '../queries.ts';

export interface Origin {
  level: Level;
  /** Whether the object says it itself. */
  own: boolean;
  /** What holds, wherever it comes from. */
  value: unknown;
  /** The object that says it; none: the product. */
  source: { kind: string; id: string } | null;
}

/** Null: the field is not one that inherits. */
export function originOf(kind: string, object: Shown, path: Path): Origin | null {
  const { origins, effective, spec } = object;
  const [section = '', name] = path;
  if (!isSpec(origins) || !isSpec(effective)) return null;
  // A host has one section that inherits, and says it without its name.
  const within = kind === 'host' ? (section === 'settings' ? path.slice(1) : null) : path;
  if (within === null || within.length === 0 || within.length > 2) return null;
  const told = at(origins, within) ?? (name === undefined ? undefined : at(origins, [section]));
  if (typeof told !== 'string') return null;
  const level = told as Level;
  return { level, own: level === kind, value: at(effective, within), source: sourceOf(level, object, spec, section) };
}

function sourceOf(level: Level, object: Shown, spec: Shown['spec'], section: string): Origin['source'] {
  switch (level) {
    case 'pool':
      return typeof spec.pool === 'string' ? { kind: 'pool', id: spec.pool } : { kind: 'pool', id: object.id };
    case 'site':
      return object.site ? { kind: 'site', id: object.site } : null;
    case 'followed_site': {
      const followed = at(spec, ['follows', section]);
      return typeof followed === 'string' ? { kind: 'site', id: followed } : object.site ? { kind: 'site', id: object.site } : null;
    }
    default:
      return null;
  }
}
