import { Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import type { EntryShown, Query } from '@oriel/api/management';
import { useInfiniteQuery } from '@tanstack/react-query';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { differences } from '../form/fields.ts';
import { Changes } from '../object/Changes.tsx';
import { entries } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link } from '../ui/Link.tsx';
import { ago, moment } from '../ui/time.ts';
import { authorOf } from '../ui/words.ts';
import { colourOf, partsOf } from './codes.ts';
import { Revert } from './Revert.tsx';
import { Subjects } from './Subjects.tsx';
import { translated } from '../i18n/index.ts';

/** Entries of the log, newest first: each readable, and to be taken back where it is a change. */
export function Entries({ query, of }: { query: Query; of?: string }) {
  const { t } = useTranslation();
  const log = useInfiniteQuery(entries(query));
  if (log.isError && log.data === undefined) return <Failure error={log.error} retry={() => void log.refetch()} />;
  const items = log.data?.pages.flatMap((page) => page.items) ?? [];
  if (log.isSuccess && items.length === 0 && !log.hasNextPage) return <Text c="dimmed" data-testid="history">{t('history.nothing')}</Text>;
  return (
    <Stack gap="sm" component="ol" m={0} p={0} style={{ listStyle: 'none' }} data-testid="history">
      {items.map((entry) => <Line key={entry.number} entry={entry} of={of} />)}
      {log.hasNextPage && (
        <Group justify="center" component="li">
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>{t('list.more')}</Button>
        </Group>
      )}
    </Stack>
  );
}

/** `of`: the object whose entries these are. It need not be named. */
function Line({ entry, of }: { entry: EntryShown; of: string | undefined }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [opened, setOpened] = useState(false);
  const [isReverting, setReverting] = useState(false);
  const { change } = entry;
  const fields = change ? differences({ ...change.before }, { ...change.after }) : [];
  const { area, what } = partsOf(entry.code);
  return (
    <Paper component="li" withBorder p="sm" className="card" data-testid="entry" data-code={entry.code}>
      <Group justify="space-between" align="flex-start" gap="xs">
        <div style={{ flex: '1 1 320px', minWidth: 0 }}>
          <Group gap="xs">
            <Badge variant="light" color={colourOf(entry)} tt="none">{t(`audit.code.${area}.${what}`)}</Badge>
            <Subjects subjects={entry.subjects.filter(({ id }) => id !== of)} isGone={what === 'deleted'} />
          </Group>
          {entry.details.why !== undefined && <Text size="sm" mt={4} style={{ overflowWrap: 'anywhere' }}>{translated(entry.details.why)}</Text>}
          <Text size="sm" c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }}>
            <time dateTime={entry.at} title={moment(entry.at, i18n.language)}>{ago(entry.at, i18n.language)}</time>
            {' · '}
            {authorOf(entry.author.name, t)}
            {' · '}
            {t(`history.via.${entry.author.via}`)}
            {entry.author.address ? ` · ${entry.author.address}` : ''}
            {' · '}
            <Link to={`/audit/${entry.number}`} inherit c="inherit" underline="always">{t('audit.entry', { number: entry.number })}</Link>
          </Text>
        </div>
        {change && <Group gap="xs">
          {fields.length > 0 && (
            <Button variant="subtle" size="xs" aria-expanded={opened} onClick={() => setOpened(!opened)}>
              {t(opened ? 'history.hide' : 'history.show', { count: fields.length })}
            </Button>
          )}
          {change && isRevertible(entry) && may('audit', 'modify') && (
            <Button variant="default" size="xs" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => setReverting(true)} data-testid="revert">{t('revert.open')}</Button>
          )}
        </Group>}
      </Group>
      {opened && change && <Changes kind={change.kind} changes={fields} spec={change.after ? (change.after as { spec?: unknown }).spec : undefined} />}
      {isReverting && change && <Revert path={`/changes/${change.sequence}/revert`} title={t('revert.title', { number: entry.number })} close={() => setReverting(false)} />}
    </Paper>
  );
}

/** The log holds no secrets: what one said before is not known. */
export const isRevertible = ({ change }: EntryShown): boolean => change != null && !change.action.startsWith('secret');
