/** Two people have changed one object: what each did, and what comes of it. */
import type { FieldChange } from '@oriel/api/management';
import { at, differences, put, same, type Spec } from '../form/fields.ts';

export interface Version extends Spec {
  name: string;
  site: string | null;
  spec: Spec;
}

export interface Contest {
  field: string;
  /** As both found it. */
  base: unknown;
  mine: unknown;
  theirs: unknown;
  /** Whether both changed it, and differently. Only then is there something to choose. */
  disputed: boolean;
}

const pathOf = ({ field }: FieldChange): string[] => field.split('.');

/** What differs between what I want and what the others have made of it. */
export function contests(base: Version, mine: Version, theirs: Version): Contest[] {
  const changed = [...differences(base, mine), ...differences(base, theirs)];
  const fields = [...new Set(changed.map(({ field }) => field))];
  return fields
    .map((field) => {
      const path = pathOf({ field, before: null, after: null });
      const [before, my, their] = [at(base, path), at(mine, path), at(theirs, path)];
      return { field, base: before, mine: my, theirs: their, disputed: !same(my, their) && !same(my, before) && !same(their, before) };
    })
    .filter(({ mine: my, theirs: their }) => !same(my, their));
}

/** Theirs, with my changes; of what both changed, mine where `taken` says so. */
export function merged(base: Version, mine: Version, theirs: Version, taken: ReadonlySet<string>): Version {
  return contests(base, mine, theirs)
    .filter(({ field, base: before, mine: my, disputed }) => (disputed ? taken.has(field) : !same(my, before)))
    .reduce<Spec>((version, { field, mine: my }) => put(version, field.split('.'), my), theirs) as Version;
}
