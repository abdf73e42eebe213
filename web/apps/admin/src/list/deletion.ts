import { IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { remove, type Shown } from '../queries.ts';
import type { BulkAction } from './Bulk.tsx';

/** Deleting many; what is in use is kept, and says so. */
export function useDeletion<Row extends Shown>(plural: string): BulkAction<Row> {
  const { t } = useTranslation();
  return {
    key: 'delete', label: t('delete.now'), icon: IconTrash, danger: true,
    ask: { title: t('delete.many'), text: t('delete.text') },
    run: (row) => remove(plural, row.id, row.revision),
  };
}
