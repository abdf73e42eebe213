import { EmptyState } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Navigate, useParams } from '@tanstack/react-router';
import { IconPlus } from '@tabler/icons-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { NotFound } from '../frame/Trouble.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { byPlural } from '../kinds.ts';
import { useHostActions } from '../hosts/actions.tsx';
import { columnsOf } from '../list/columns.tsx';
import { anyOf } from '../list/filter.ts';
import { ListView, type QuickFilter } from '../list/List.tsx';
import type { BulkAction } from '../list/Bulk.tsx';
import { useDeletion } from '../list/deletion.ts';
import { all, useKinds, type Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { LinkButton } from '../ui/Link.tsx';

/** The list of any kind. */
export default function Kind() {
  const { t } = useTranslation();
  const { kind: plural } = useParams({ strict: false }) as { kind: string };
  const facts = byPlural(plural);
  const may = useMay();
  if (!facts || !may(facts.area)) return <NotFound />;
  if (facts.kind === 'farm') return <OwnFarm />;
  return <KindList key={plural} plural={plural} kind={facts.kind} title={t(`kinds.${facts.kind}.many`)} />;
}

function KindList({ plural, kind, title }: { plural: string; kind: string; title: string }) {
  const { t } = useTranslation();
  const may = useMay();
  const facts = byPlural(plural);
  const verbs = useKinds().find((each) => each.kind === kind)?.verbs ?? [];
  const hostActions = useHostActions();
  const deletion = useDeletion<Shown>(plural);
  const area = facts?.area ?? 'infrastructure';
  const canAdd = may(area, 'add') && (verbs.includes('create') || kind === 'host');
  const add = kind === 'host' || kind === 'invitation' ? '/hosts/add' : `/${plural}/new`;
  const bulk: BulkAction<Shown>[] = [
    ...(kind === 'host' && may('hosts', 'control') ? (hostActions as unknown as BulkAction<Shown>[]) : []),
    ...(verbs.includes('delete') && may(area, 'delete') ? [deletion] : []),
  ];
  const Sign = facts?.icon ?? IconPlus;
  const columns = useMemo(() => columnsOf(kind, t), [kind, t]);

  return (
    <>
      <PageHead
        title={title}
        actions={canAdd && <LinkButton to={add} leftSection={<IconPlus size={18} aria-hidden />} data-testid="add">{t(`kinds.${kind}.add`)}</LinkButton>}
      />
      <ListView<Shown>
        path={plural} label={title} columns={columns} nameOf={nameOf} {...searchOf(kind, t)} bulk={bulk} filters={filtersOf(kind, t)}
        empty={
          <EmptyState icon={<Sign />} title={t(`kinds.${kind}.nothing`)} description={t(`kinds.${kind}.about`)}>
            {canAdd && <EmptyState.Actions><LinkButton to={add}>{t(`kinds.${kind}.add`)}</LinkButton></EmptyState.Actions>}
          </EmptyState>
        }
      />
    </>
  );
}

const nameOf = (row: Shown) => row.name;

function searchOf(kind: string, t: (key: string) => string) {
  if (kind !== 'user') return { searchLabel: t('list.search') };
  return { searchLabel: t('user.search'), search: (words: string) => ({ filter: anyOf(['name', 'spec.full_name'], words) }) };
}

function filtersOf(kind: string, t: (key: string) => string): QuickFilter[] {
  if (kind === 'host') {
    return [
      { key: 'away', label: t('host.health.away'), filter: 'state.reachable:false' },
      { key: 'draining', label: t('host.filter.draining'), filter: 'spec.logon_mode!:enabled' },
      { key: 'busy', label: t('host.filter.busy'), filter: 'severity.cpu!:normal' },
    ];
  }
  if (['user', 'administrator', 'policy', 'logon_hours', 'schedule', 'pool', 'gateway'].includes(kind)) {
    return [{ key: 'off', label: t('list.disabled'), filter: 'spec.enabled:false' }];
  }
  if (kind === 'invitation') return [{ key: 'open', label: t('invitation.open'), filter: 'state:open' }];
  return [];
}

/** There is one farm: its list is its page. */
function OwnFarm() {
  const farms = useQuery(all('farms'));
  const own = farms.data?.[0];
  return own ? <Navigate to={`/farms/${own.id}` as never} replace /> : null;
}
