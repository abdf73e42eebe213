import { call } from '@oriel/api/management';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { formOf } from '../form/fields.ts';
import type { Shown } from '../queries.ts';
import type { BulkAction } from './Bulk.tsx';

/** Enabling and disabling many, of kinds that can be. */
export function useSwitching<Row extends Shown>(kind: string, plural: string): BulkAction<Row>[] {
  const { t } = useTranslation();
  if (formOf(kind).fields.enabled?.is !== 'switch') return [];
  return ([['enable', IconPlayerPlay], ['disable', IconPlayerStop]] as const).map(([key, icon]) => ({
    key, icon, label: t(`bulk.${key}.label`),
    ask: { title: t(`bulk.${key}.title`), text: t(`bulk.${key}.text`) },
    run: ({ id, revision }: Row) => call('PATCH', `/${plural}/${id}`, { body: { spec: { enabled: key === 'enable' } }, revision }),
  }));
}
