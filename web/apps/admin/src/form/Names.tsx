import { get } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { pageOf, pluralOf } from '../kinds.ts';
import { queries, type Page, type Shown } from '../queries.ts';
import { Link } from '../ui/Link.tsx';

interface Named {
  id: string;
  name: string;
}

/** From lists that are there already. */
function known(kind: string, id: string): Named | undefined {
  for (const [, data] of queries.getQueriesData<Named[] | { pages: Page<Named>[] }>({ queryKey: ['list', pluralOf(kind)] })) {
    const rows = data === undefined ? [] : Array.isArray(data) ? data : data.pages.flatMap((page) => page.items);
    const row = rows.find((each) => each.id === id && typeof each.name === 'string');
    if (row) return row;
  }
  return undefined;
}

/** The name of an object; null: there is none any more, or it may not be seen. */
export function useName(kind: string, id: string | null | undefined): string | null | undefined {
  const found = useQuery({
    queryKey: ['name', kind, id],
    enabled: id != null && id !== '',
    staleTime: 60_000,
    retry: false,
    initialData: () => (id == null ? undefined : known(kind, id)?.name),
    queryFn: async ({ signal }) => (await get<Shown>(`/${pluralOf(kind)}/${id}`, {}, signal)).name,
  });
  return found.isError ? null : found.data;
}

export function Name({ kind, id, link = true }: { kind: string; id: string; link?: boolean }) {
  const { t } = useTranslation();
  const name = useName(kind, id);
  if (name === undefined) return <>…</>;
  if (name === null) return <span title={id}>{t('gone')}</span>;
  return link ? (
    <Link to={pageOf(kind, id)} inherit underline="always">
      {name}
    </Link>
  ) : (
    <>{name}</>
  );
}

export function Names({ kind, ids, link = true, word = ', ' }: { kind: string; ids: readonly string[]; link?: boolean; word?: string }) {
  return ids.map((id, index) => (
    <Fragment key={id}>
      {index > 0 && word}
      <Name kind={kind} id={id} link={link} />
    </Fragment>
  ));
}
