/** Settings by what they are called: where each stands. */
import type { Area } from '@oriel/api/management';
import type { TFunction } from 'i18next';
import { formOf } from '../form/fields.ts';
import { labelOf } from '../form/words.ts';
import { pluralOf } from '../kinds.ts';

export interface Setting {
  label: string;
  /** What it belongs to. */
  within: string;
  /** The page, and the section of it. */
  to: string;
  area: Area;
}

/** Kinds that hold what others call settings: of everything else, the objects themselves are looked for. */
const HOLDERS = [['farm', 'infrastructure'], ['site', 'infrastructure'], ['pool', 'hosts']] as const;

export const settings = (t: TFunction): Setting[] =>
  HOLDERS.flatMap(([kind, area]) => {
    const { name: schema = '', fields } = formOf(kind);
    return Object.entries(fields).flatMap(([section, field]) => {
      if (field.is !== 'record') return [];
      const place = { to: `/${pluralOf(kind)}#${section}`, area };
      const label = labelOf(schema, section, t);
      const within = t(`kinds.${kind}.many`);
      const each = Object.keys(field.fields).map((name) => ({ ...place, label: labelOf(field.name ?? '', name, t), within: `${within} › ${label}` }));
      return [{ ...place, label, within }, ...each];
    });
  });
