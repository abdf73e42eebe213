import { Text } from '@mantine/core';
import type { EntryShown } from '@oriel/api/management';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { byKind, pageOf } from '../kinds.ts';
import { Link } from '../ui/Link.tsx';

/** What an entry is about, each thing with the way to it. A connection has no page and is left out. */
export function Subjects({ subjects, isGone = false }: { subjects: EntryShown['subjects']; isGone?: boolean }) {
  const { t } = useTranslation();
  const shown = subjects.filter(({ kind }) => kind !== 'connection');
  if (shown.length === 0) return null;
  return (
    <Text size="sm" component="span" style={{ overflowWrap: 'anywhere' }}>
      {shown.map(({ kind, id, name }, index) => {
        if (kind === 'session') return <Fragment key={id}>{index > 0 && ', '}<Link to={`/sessions/${id}`} inherit underline="always">{t('audit.session')}</Link></Fragment>;
        const words = byKind(kind) ? t(`kinds.${kind}.one`) : kind;
        return (
          <Fragment key={id}>
            {index > 0 && ', '}
            {words} <strong>{isGone ? name : <Link to={pageOf(kind, id)} inherit underline="always">{name || id}</Link>}</strong>
          </Fragment>
        );
      })}
    </Text>
  );
}
