import { Badge, Button, Code, Paper, Stack, Text, Title } from '@mantine/core';
import type { EntryShown } from '@oriel/api/management';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Entries, isRevertible } from '../audit/Entries.tsx';
import { Revert, type Back } from '../audit/Revert.tsx';
import { Subjects } from '../audit/Subjects.tsx';
import { colourOf, partsOf } from '../audit/codes.ts';
import { differences } from '../form/fields.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { Changes } from '../object/Changes.tsx';
import { entries, entry as one } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { Failure } from '../ui/Failure.tsx';
import { moment } from '../ui/time.ts';
import { authorOf } from '../ui/words.ts';
import { translated } from '../i18n/index.ts';

/** One entry of the log with all that is known of it, and what can be taken back from here. */
export default function EntryPage() {
  const { t } = useTranslation();
  const may = useMay();
  const { number } = useParams({ strict: false }) as { number: string };
  const isNumber = /^[1-9]\d{0,14}$/.test(number);
  const found = useQuery({ ...one(Number(number)), enabled: isNumber && may('audit') });
  if (!isNumber || !may('audit') || found.data === null) return <NotFound />;
  if (found.isError && found.data === undefined) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (found.data === undefined) return <PageHead title={t('loading')} crumbs={[{ label: t('nav.audit'), to: '/audit' }]} />;
  return <Known key={number} entry={found.data} />;
}

/** A detail as people write it. */
function said(value: string, t: TFunction, language: string): string {
  if (value === 'true' || value === 'false') return t(`value.${value === 'true' ? 'yes' : 'no'}`);
  return /^\d{4}-\d{2}-\d{2}T/.test(value) ? moment(value, language) : value;
}

function Known({ entry }: { entry: EntryShown }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [back, setBack] = useState<Back | null>(null);
  const { change, number } = entry;
  const together = { transaction: change?.transaction ?? 0 };
  const others = useInfiniteQuery({ ...entries(together), enabled: change != null });
  const isMany = (others.data?.pages[0]?.items.length ?? 0) > 1;
  const { area, what } = partsOf(entry.code);
  // What is in words of its own, or only there to be checked, is left out.
  const details = Object.entries(entry.details).filter(([name]) => name !== 'why');
  const facts: Fact[] = [
    [t('audit.when'), <>{moment(entry.at, i18n.language)} (<Ago when={entry.at} />)</>],
    [t('audit.by'), authorOf(entry.author.name, t)],
    [t('audit.via'), t(`history.via.${entry.author.via}`)],
    [t('audit.address'), entry.author.address ?? t('value.none')],
    [t('audit.outcome'), t(`audit.ended.${entry.outcome}`)],
    [t('audit.about'), entry.subjects.length === 0 ? t('value.none') : <Subjects subjects={entry.subjects} isGone={what === 'deleted'} />],
    ...(entry.details.why === undefined ? [] : [[t('audit.why'), translated(entry.details.why)] as [string, React.ReactNode]]),
    ...details.map(([name, value]): [string, React.ReactNode] => [t(`audit.detail.${name}`, { defaultValue: name }), said(value, t, i18n.language)]),
    [t('audit.code_label'), <Code>{entry.code}</Code>],
    [t('audit.hash'), <Code style={{ overflowWrap: 'anywhere' }}>{entry.hash}</Code>],
  ];
  return (
    <>
      <PageHead
        title={t('audit.entry', { number })} crumbs={[{ label: t('nav.audit'), to: '/audit' }]}
        beside={<Badge variant="light" color={colourOf(entry)} tt="none">{t(`audit.code.${area}.${what}`)}</Badge>}
        actions={change && may('audit', 'modify') && (
          <>
            {isRevertible(entry) && <Button variant="default" onClick={() => setBack({ path: `/changes/${change.sequence}/revert`, title: t('revert.title', { number }) })} data-testid="revert">{t('revert.open')}</Button>}
            {isMany && <Button variant="default" onClick={() => setBack({ path: `/changes/${change.sequence}/revert`, body: { transaction: true }, title: t('revert.together') })} data-testid="revert-together">{t('revert.together')}</Button>}
            <Button variant="default" onClick={() => setBack({ path: '/revert', body: { to: change.sequence - 1 }, title: t('revert.from_here') })} data-testid="revert-from-here">{t('revert.from_here')}</Button>
          </>
        )}
      />
      <Stack>
        <Paper withBorder p="md" className="card" data-testid="facts">
          <Facts facts={facts} />
        </Paper>
        {change && (
          <Paper withBorder p="md" className="card" component="section" aria-labelledby="changes">
            <Title order={2} size="h4" mb="sm" id="changes">{t('audit.changes')}</Title>
            {change.action.startsWith('secret')
              ? <Text size="sm">{t('audit.secret')}</Text>
              : <Changes kind={change.kind} changes={differences({ ...change.before }, { ...change.after })} spec={(change.after as { spec?: unknown } | null)?.spec} />}
          </Paper>
        )}
        {isMany && (
          <section aria-labelledby="together">
            <Title order={2} size="h4" mb="sm" id="together">{t('audit.together')}</Title>
            <Entries query={together} />
          </section>
        )}
      </Stack>
      {back && <Revert {...back} close={() => setBack(null)} />}
    </>
  );
}
