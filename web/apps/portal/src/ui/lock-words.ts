/** Sentences for what an organisation has set. */
import type { PolicySettings } from '@oriel/api';
import type { TFunction } from 'i18next';
import type { Lock } from '../policy.ts';

export const lockWords = ({ key, ...values }: Lock, t: TFunction): string => t(`locked.${key}`, values);

export function clipboardWords(clipboard: NonNullable<PolicySettings['clipboard']>, t: TFunction): string {
  const { direction, kinds, max_kib } = clipboard;
  if (direction === 'none') return t('clipboard.way.none');
  const sentences = [t(`clipboard.way.${direction}`)];
  if (kinds.length > 0) {
    sentences.push(t('clipboard.only', { kinds: kinds.map((kind) => t(`clipboard.kind.${kind}`)).join(', ') }));
  }
  if (max_kib !== null) sentences.push(t('clipboard.at_most', { size: sizeOf(max_kib) }));
  return sentences.join(' ');
}

const sizeOf = (kib: number): string => (kib % 1024 === 0 ? `${kib / 1024} MiB` : `${kib} KiB`);
