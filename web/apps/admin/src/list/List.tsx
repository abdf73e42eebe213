import { ActionIcon, Button, Checkbox, Chip, CloseButton, EmptyState, Group, Menu, Skeleton, Stack, Table, Text, TextInput, Tooltip, UnstyledButton } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import type { Query } from '@oriel/api/management';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { IconArrowDown, IconArrowUp, IconArrowsSort, IconColumns3, IconSearch, IconSearchOff } from '@tabler/icons-react';
import { memo, useCallback, useEffect, useMemo, useState, type PointerEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { setPreferences, usePreferences } from '../preferences.ts';
import { list } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { text, usePlace } from '../ui/go.ts';
import { useIsNarrow } from '../ui/narrow.ts';
import { alone } from '../ui/words.ts';
import { Bulk, type BulkAction } from './Bulk.tsx';

export interface Column<Row> {
  key: string;
  label: string;
  render: (row: Row) => ReactNode;
  /** The path that the broker sorts by; none: it does not. */
  sort?: string;
  /** In pixels; none: it shares what is left. */
  width?: number;
  /** Shown on a narrow screen too. */
  narrow?: boolean;
  /** Shown only when it is chosen. */
  optional?: boolean;
}

export interface QuickFilter {
  key: string;
  label: string;
  /** As the broker takes it. */
  filter: string;
}

export interface ListProps<Row extends { id: string }> {
  /** As in the API's address. */
  path: string;
  label: string;
  /** The same ones from one time to the next: others have every row drawn again. */
  columns: Column<Row>[];
  query?: Query;
  /** How the words of the search are put to the broker; none: by name. */
  search?: (words: string) => Query;
  searchLabel: string;
  filters?: QuickFilter[];
  bulk?: BulkAction<Row>[];
  nameOf: (row: Row) => string;
  /** What to say, and to do, when there is nothing at all. */
  empty: ReactNode;
  /** Lists within a page keep their state to themselves. */
  within?: boolean;
}

const ROW_PX = 44;
const HEIGHT = { height: ROW_PX };
/** Rows that are drawn above and below those that are seen. */
const OVERSCAN = 8;
/** The next rows are fetched when so many are left. */
const AHEAD = 100;

/** Any list: filtered and sorted by the broker, drawn only where it is looked at, its state in the address. */
export function ListView<Row extends { id: string }>(props: ListProps<Row>) {
  const { t } = useTranslation();
  const { path, columns, nameOf } = props;
  const [address, setAddress] = usePlace();
  const [own, setOwn] = useState<Record<string, unknown>>({});
  const [place, setPlace] = props.within ? ([own, (changes: Record<string, unknown>) => setOwn({ ...own, ...changes })] as const) : ([address, setAddress] as const);
  const [words, setWords] = useState(text(place.q));
  const [chosen, setChosen] = useState<ReadonlyMap<string, Row>>(new Map());
  const [frame, setFrame] = useState<HTMLDivElement | null>(null);
  const isNarrow = useIsNarrow();
  const shownColumns = useShownColumns(path, columns, isNarrow);
  const search = useDebouncedCallback((q: string) => setPlace({ q }), 200);

  const sort = text(place.sort);
  const quick = props.filters?.find(({ key }) => key === text(place.f));
  const q = text(place.q);
  const asked: Query = q === '' ? {} : props.search ? props.search(q) : { name: q };
  const filter = [props.query?.filter, quick?.filter, asked.filter].filter(Boolean).join(',');
  const found = useInfiniteQuery(list<Row>(path, { ...props.query, ...asked, sort: sort || props.query?.sort, filter }));
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const total = found.data?.pages[0]?.total ?? rows.length;
  const isAsking = q !== '' || quick !== undefined;

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const onLast = useCallback((last: number) => {
    if (hasNextPage && !isFetchingNextPage && last >= rows.length - AHEAD) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, rows.length]);
  const choose = useCallback((row: Row, on: boolean) => setChosen((before) => {
    const next = new Map(before);
    if (on) next.set(row.id, row);
    else next.delete(row.id);
    return next;
  }), []);
  const hasBulk = props.bulk !== undefined && props.bulk.length > 0;

  return (
    <Stack gap="sm">
      {/* On a phone the filters have a line of their own, below the search and the count. */}
      <Group gap="sm">
        <TextInput
          value={words} placeholder={props.searchLabel} aria-label={props.searchLabel} type="search" maxLength={120} flex={1} miw={160} maw={360} data-testid="list-search"
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={words === '' ? null : <CloseButton size="sm" aria-label={t('list.clear')} onClick={() => { setWords(''); setPlace({ q: undefined }); }} />}
          onChange={(event) => { setWords(event.currentTarget.value); search(event.currentTarget.value); }}
        />
        {props.filters && props.filters.length > 0 && (
          <Chip.Group value={quick?.key ?? ''} onChange={(to: string) => setPlace({ f: to === quick?.key ? undefined : to })}>
            <Group gap={6} role="radiogroup" aria-label={t('list.filters')} {...(isNarrow ? { w: '100%', style: { order: 1 } } : {})}>
              <Chip value="" size="xs">{t('list.all')}</Chip>
              {props.filters.map(({ key, label }) => <Chip key={key} value={key} size="xs">{alone(label)}</Chip>)}
            </Group>
          </Chip.Group>
        )}
        <Group gap="xs" ml="auto">
          <Text size="sm" c="dimmed" role="status">{found.isSuccess && t('list.count', { count: total })}</Text>
          {!isNarrow && <ColumnsMenu path={path} columns={columns} />}
        </Group>
      </Group>

      {found.isError && found.data === undefined && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Stack gap={6} role="status" aria-label={t('loading')}>{Array.from({ length: 6 }, (_, index) => <Skeleton key={index} h={ROW_PX - 6} />)}</Stack>}
      {found.isSuccess && rows.length === 0 && (isAsking ? (
        <EmptyState icon={<IconSearchOff />} title={t('list.nothing')} description={t('list.nothing_advice')}>
          <EmptyState.Actions><Button variant="default" onClick={() => { setWords(''); setPlace({ q: undefined, f: undefined }); }}>{t('list.show_all')}</Button></EmptyState.Actions>
        </EmptyState>
      ) : props.empty)}
      {rows.length > 0 && (
        <div ref={setFrame} className="rows" tabIndex={0} role="region" aria-label={props.label} style={{ maxHeight: props.within ? 420 : 'calc(100dvh - 210px)' }} data-testid="list">
          <Table aria-rowcount={total + 1} highlightOnHover verticalSpacing={0}>
            <Table.Thead>
              <Table.Tr h={ROW_PX} aria-rowindex={1}>
                {hasBulk && (
                  <Table.Th w={44}>
                    <Checkbox
                      aria-label={t('list.choose_all')} checked={chosen.size > 0 && chosen.size >= rows.length} indeterminate={chosen.size > 0 && chosen.size < rows.length}
                      onChange={(event) => setChosen(event.currentTarget.checked ? new Map(rows.map((row) => [row.id, row])) : new Map())}
                    />
                  </Table.Th>
                )}
                {shownColumns.map((column) => <HeadCell key={column.key} column={column} sort={sort} onSort={(to) => setPlace({ sort: to })} />)}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              <Rows rows={rows} columns={shownColumns} frame={frame} chosen={chosen} {...(hasBulk ? { choose } : {})} nameOf={nameOf} onLast={onLast} />
            </Table.Tbody>
          </Table>
        </div>
      )}
      {hasBulk && <Bulk path={path} rows={[...chosen.values()]} actions={props.bulk ?? []} nameOf={nameOf} clear={() => setChosen(new Map())} />}
    </Stack>
  );
}

/** What does not fit into its cell is told whole on pointing at it. */
function tellWhole({ currentTarget: cell }: PointerEvent<HTMLElement>): void {
  if (cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent;
  else cell.removeAttribute('title');
}

interface RowsProps<Row> {
  rows: Row[];
  columns: Column<Row>[];
  /** What is scrolled. */
  frame: HTMLDivElement | null;
  chosen: ReadonlyMap<string, Row>;
  /** none: nothing can be done with them. */
  choose?: (row: Row, on: boolean) => void;
  nameOf: (row: Row) => string;
  /** Called with the last row that is drawn. */
  onLast: (index: number) => void;
}

/** The rows that are looked at. Scrolling draws these alone anew, and of them only what was not there. */
function Rows<Row extends { id: string }>({ rows, columns, frame, chosen, choose, nameOf, onLast }: RowsProps<Row>) {
  const { t } = useTranslation();
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => frame, estimateSize: () => ROW_PX, overscan: OVERSCAN, initialRect: { width: 0, height: window.innerHeight } });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onLast(last), [last, onLast]);
  return (
    <>
      {above > 0 && <tr aria-hidden style={{ height: above }} />}
      {items.map(({ index }) => {
        const row = rows[index];
        if (!row) return null;
        const props = choose ? { choose, chooseLabel: t('list.choose', { name: nameOf(row) }) } : {};
        return <AnyRow key={row.id} row={row} index={index} columns={columns} isChosen={chosen.has(row.id)} {...props} />;
      })}
      {below > 0 && <tr aria-hidden style={{ height: below }} />}
    </>
  );
}

interface OneRowProps<Row> {
  row: Row;
  index: number;
  columns: Column<Row>[];
  isChosen: boolean;
  choose?: (row: Row, on: boolean) => void;
  chooseLabel?: string;
}

/** Plain cells with the kit's looks: its own cells would each read them anew, hundreds of times in a frame. */
function OneRow<Row extends { id: string }>({ row, index, columns, isChosen, choose, chooseLabel }: OneRowProps<Row>) {
  return (
    <tr className={`row ${Table.Tr.classes.tr}`} style={HEIGHT} aria-rowindex={index + 2} data-chosen={isChosen || undefined} data-hover data-with-row-border data-testid="row">
      {choose && <td className={Table.Td.classes.td}><Checkbox aria-label={chooseLabel} checked={isChosen} onChange={(event) => choose(row, event.currentTarget.checked)} /></td>}
      {columns.map((column) => <td key={column.key} className={Table.Td.classes.td} onPointerEnter={tellWhole}>{column.render(row)}</td>)}
    </tr>
  );
}

// Generic components lose their parameter when they are memoised.
const AnyRow = memo(OneRow) as typeof OneRow;

function HeadCell<Row>({ column, sort, onSort }: { column: Column<Row>; sort: string; onSort: (to: string | undefined) => void }) {
  const { sort: path, label, width } = column;
  const style = width === undefined ? undefined : { width };
  if (path === undefined) return <Table.Th style={style}>{label}</Table.Th>;
  const isUp = sort === path;
  const isDown = sort === `-${path}`;
  const Sign = isUp ? IconArrowUp : isDown ? IconArrowDown : IconArrowsSort;
  return (
    <Table.Th style={style} aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <UnstyledButton fw={700} fz="sm" maw="100%" onClick={() => onSort(isUp ? `-${path}` : isDown ? undefined : path)}>
        <Group gap={4} wrap="nowrap">
          <Text span inherit truncate onPointerEnter={tellWhole}>{label}</Text>
          <Sign size={14} aria-hidden style={{ opacity: isUp || isDown ? 1 : 0.5, flex: 'none' }} />
        </Group>
      </UnstyledButton>
    </Table.Th>
  );
}

function useShownColumns<Row>(path: string, columns: Column<Row>[], isNarrow: boolean): Column<Row>[] {
  const wanted = usePreferences().columns[path];
  return useMemo(() => {
    if (isNarrow) return columns.filter(({ narrow }) => narrow);
    return columns.filter(({ key, optional }, index) => index === 0 || (wanted ? wanted.includes(key) : !optional));
  }, [columns, wanted, isNarrow]);
}

function ColumnsMenu<Row>({ path, columns }: { path: string; columns: Column<Row>[] }) {
  const { t } = useTranslation();
  const preferences = usePreferences();
  const shown = preferences.columns[path] ?? columns.filter(({ optional }) => !optional).map(({ key }) => key);
  return (
    <Menu closeOnItemClick={false} position="bottom-end" withinPortal={false}>
      <Menu.Target>
        <Tooltip label={t('list.columns')}>
          <ActionIcon aria-label={t('list.columns')}><IconColumns3 size={18} /></ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.CheckboxGroup value={shown} onChange={(to) => setPreferences({ columns: { ...preferences.columns, [path]: to } })}>
          {columns.slice(1).map(({ key, label }) => <Menu.CheckboxItem key={key} value={key}>{label}</Menu.CheckboxItem>)}
        </Menu.CheckboxGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
