import { Button, List, Paper, Stack, Text } from '@mantine/core';
import type { Referrers } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { nameOfChange } from '../form/words.ts';
import { pageOf } from '../kinds.ts';
import type { Shown } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link } from '../ui/Link.tsx';
import { references } from './references.ts';

const FIRST = 100;
/** The most that the broker gives at a time. */
const MOST = 1_000;

/** What refers to an object, and where. */
export default function UsedBy({ kind, object }: { kind: string; object: Shown }) {
  const { t } = useTranslation();
  const [limit, setLimit] = useState(FIRST);
  const found = useQuery({ ...references(kind, object.id, limit), placeholderData: (before) => before });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (found.data === undefined) return <Text c="dimmed" role="status">{t('loading')}</Text>;
  const { items, total } = found.data;
  return (
    <Paper withBorder p="md" className="card" data-testid="used-by">
      <Stack gap="sm">
        {items.length === 0 && !found.data.hidden && <Text size="sm">{t('used_by.nothing')}</Text>}
        <ReferrerList found={found.data} withPlaces />
        {items.length === limit && limit < MOST && (total ?? 0) > limit && (
          <Button variant="default" loading={found.isFetching} onClick={() => setLimit(MOST)} style={{ alignSelf: 'center' }}>{t('list.more')}</Button>
        )}
      </Stack>
    </Paper>
  );
}

interface Referrer {
  kind: string;
  id: string;
  name: string;
  fields: string[];
}

/** Those that refer to an object, with the way to each; how many more there are; whether some may not be seen. */
export function ReferrerList({ found, withPlaces = false }: { found: Referrers; withPlaces?: boolean }) {
  const { t } = useTranslation();
  const items = found.items as Referrer[];
  const more = (found.total ?? items.length) - items.length;
  return (
    <>
      {items.length > 0 && (
        <List size="sm" spacing={4}>
          {items.map(({ kind, id, name, fields }) => (
            <List.Item key={id}>
              {t(`kinds.${kind}.one`)} <Link to={pageOf(kind, id)} inherit underline="always">{name}</Link>
              {withPlaces && <Text component="span" size="sm" c="dimmed"> · {placesOf(kind, fields, t).join(', ')}</Text>}
            </List.Item>
          ))}
        </List>
      )}
      {more > 0 && <Text size="sm">{t('used_by.more', { count: more })}</Text>}
      {found.hidden && <Text size="sm">{t('used_by.hidden')}</Text>}
    </>
  );
}

/** Places in words, each once: which entry of a list it is says nobody anything. */
function placesOf(kind: string, fields: readonly string[], t: Parameters<typeof nameOfChange>[3]): string[] {
  const words = fields.map((field) => nameOfChange(kind, { field: field.replaceAll(/\[\d+\]/g, ''), before: null, after: null }, undefined, t));
  return [...new Set(words)];
}
