/** Where a value comes from: set on the object itself, or inherited from a pool, a site or the product. */
import type { Level } from '@oriel/api/management';
import { at, isSpec, type Path } from '../form/fields.ts';
import type { Shown } from '../queries.ts';

/** The object that says it, and the section of its page that does. */
export interface Source {
  kind: string;
  id: string;
  section: string;
}

export interface Origin {
  level: Level;
  /** Whether the object says it itself. */
  own: boolean;
  /** What holds, wherever it comes from. */
  value: unknown;
  /** The object that says it; none: the product. */
  source: Source | null;
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

/** What sections are called on a site, from which hosts and pools inherit them. */
const ON_SITES: Record<string, string> = { settings: 'host_defaults', balancing: 'balancing_defaults' };
export const onSite = (section: string): string => ON_SITES[section] ?? section;

function sourceOf(level: Level, object: Shown, spec: Shown['spec'], section: string): Source | null {
  const site = (id: unknown): Source | null => (typeof id === 'string' ? { kind: 'site', id, section: onSite(section) } : null);
  switch (level) {
    case 'pool':
      return { kind: 'pool', id: typeof spec.pool === 'string' ? spec.pool : object.id, section };
    case 'site':
      return site(object.site);
    case 'followed_site':
      return site(at(spec, ['follows', section])) ?? site(object.site);
    default:
      return null;
  }
}

/** What would hold if the object said nothing itself: which object tells, and where; null: none does. */
export function aboveOf(kind: string, { site, spec }: Shown, path: Path): { kind: string; id: string; path: Path } | null {
  const [section = '', ...rest] = path;
  if (kind === 'host' && typeof spec.pool === 'string') return { kind: 'pool', id: spec.pool, path };
  if (kind === 'pool' && site) return { kind: 'site', id: site, path: [onSite(section), ...rest] };
  return null;
}
