import { ActionIcon, Badge, Box, Button, EmptyState, Grid, Group, Menu, Paper, Stack, Text, TextInput, Title, Tooltip, Tree, getTreeExpandedState, useTree, type TreeNodeData } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { call, type Moved, type ResourceView } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconArrowDown, IconArrowUp, IconChevronDown, IconChevronRight, IconDots, IconFolder, IconFolderPlus, IconFolderSymlink, IconPlus, IconSitemap } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { pictureOf } from '../form/IconPicker.tsx';
import { Name, useName } from '../form/Names.tsx';
import { ObjectSelect } from '../form/Picker.tsx';
import { RulesView } from '../form/RulesView.tsx';
import { choiceOf } from '../form/words.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { branchesOf, isFolder, liesIn, movedWith, placesAfter, placesInto, step, type Branch, type Move, type Place } from '../publishing/tree.ts';
import { all, changed } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link, LinkButton } from '../ui/Link.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { text, useGo, usePlace } from '../ui/go.ts';

/** The sign that opens a folder, and what lies between two things of a row. */
const SIGN_PX = 22;
const GAP_PX = 8;
/** A picture stands below the name of its folder: with less, it stands nearly below the folder's picture. */
const STEP_PX = SIGN_PX + GAP_PX;

/** What is published, as users find it: moved by hand or by keys. */
export default function Publishing() {
  const { t } = useTranslation();
  const may = useMay();
  const canMove = may('publishing', 'modify');
  const canAdd = may('publishing', 'add');
  const found = useQuery(all<ResourceView>('resources'));
  const [place, setPlace] = usePlace();
  const [isMaking, setMaking] = useState(false);
  const [moving, setMoving] = useState<readonly string[] | null>(null);
  const resources = useMemo(() => found.data ?? [], [found.data]);
  const branches = useMemo(() => branchesOf(resources), [resources]);
  const data = useMemo(() => nodesOf(branches), [branches]);
  const [selected, setSelected] = useState<string[]>([]);
  const tree = useTree({ multiple: true, selectedState: selected, onSelectedStateChange: setSelected });
  const chosen = resources.find(({ id }) => id === text(place.at));

  useEffect(() => {
    tree.setExpandedState(getTreeExpandedState(data, '*'));
    // Folders that come later open too; what was closed by hand opens then as well, which is seldom.
  }, [data.length]);

  const move = useMove(resources);
  const by = (id: string, steps: -1 | 1) => {
    const wanted = step(resources, id, steps);
    if (wanted) move.mutate(placesAfter(resources, wanted));
  };
  const placesOf = ({ draggedNode, targetNode, position }: { draggedNode: string; targetNode: string; position: Move['position'] }) =>
    placesAfter(resources, { dragged: movedWith(draggedNode, selected), target: targetNode, position });
  const choose = (id: string, isOneMore: boolean) => {
    if (isOneMore && selected.includes(id)) return tree.deselect(id);
    // From here a range is chosen with Shift.
    tree.select(id);
    if (!isOneMore) setSelected([id]);
    setPlace({ at: id });
  };

  if (!may('publishing')) return <NotFound />;
  return (
    <>
      <PageHead
        title={t('nav.publishing')}
        actions={canAdd && (
          <>
            <Button variant="default" leftSection={<IconFolderPlus size={18} aria-hidden />} onClick={() => setMaking(true)}>{t('tree.new_folder')}</Button>
            <LinkButton to="/resources/new" variant="default">{t('tree.other')}</LinkButton>
            <LinkButton to="/publishing/add" leftSection={<IconPlus size={18} aria-hidden />} data-testid="publish">{t('action.publish')}</LinkButton>
          </>
        )}
      />
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && resources.length === 0 && (
        <EmptyState icon={<IconSitemap />} title={t('kinds.resource.nothing')} description={t('kinds.resource.about')}>
          {canAdd && <EmptyState.Actions><LinkButton to="/publishing/add">{t('action.publish')}</LinkButton></EmptyState.Actions>}
        </EmptyState>
      )}
      {resources.length > 0 && (
        <Grid>
          <Grid.Col span={{ base: 12, md: 6 }}>
            <Paper withBorder p="sm" className="card">
              {canMove && <Text size="xs" c="dimmed" mb="xs">{t('tree.help')}</Text>}
              <Tree
                data={data} tree={tree} aria-label={t('nav.publishing')} levelOffset={STEP_PX} expandOnClick={false} data-testid="tree"
                onKeyDown={(event) => {
                  const id = event.target instanceof HTMLElement && event.target.role === 'treeitem' ? event.target.dataset.value : undefined;
                  if (event.key === 'Enter' && id !== undefined) choose(id, event.ctrlKey || event.metaKey);
                }}
                {...(canMove ? { onDragDrop: (drop) => move.mutate(placesOf(drop)) } : {})}
                allowDrop={(drop) => placesOf(drop).length > 0}
                renderNode={({ node, expanded, elementProps, tree: controls }) => {
                  const resource = resources.find(({ id }) => id === node.value);
                  if (!resource) return null;
                  return (
                    <div
                      {...elementProps} className={`${elementProps.className} node`} 
                      onClick={(event) => { elementProps.onClick(event); if (!event.shiftKey) choose(resource.id, event.ctrlKey || event.metaKey); }}
                    >
                      <Box w={SIGN_PX} display="flex" aria-hidden onClick={(event) => { event.stopPropagation(); controls.toggleExpanded(node.value); }}>
                        {node.children !== undefined && node.children.length > 0 && (expanded ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />)}
                      </Box>
                      <Picture resource={resource} />
                      <Text component="span" size="sm" flex={1} miw={0} truncate>{resource.spec.title || resource.name}</Text>
                      <StatusBadge resource={resource} />
                      {canMove && (
                        <Menu position="bottom-end" withinPortal>
                          <Menu.Target>
                            <ActionIcon size="md" aria-label={t('tree.actions', { name: resource.name })} onClick={(event) => event.stopPropagation()} onKeyDown={(event) => event.stopPropagation()}>
                              <IconDots size={16} />
                            </ActionIcon>
                          </Menu.Target>
                          <Menu.Dropdown onClick={(event) => event.stopPropagation()} onKeyDown={(event) => event.stopPropagation()}>
                            <Menu.Item leftSection={<IconArrowUp size={16} aria-hidden />} disabled={step(resources, resource.id, -1) === null} onClick={() => by(resource.id, -1)}>{t('tree.up')}</Menu.Item>
                            <Menu.Item leftSection={<IconArrowDown size={16} aria-hidden />} disabled={step(resources, resource.id, 1) === null} onClick={() => by(resource.id, 1)}>{t('tree.down')}</Menu.Item>
                            <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => setMoving(movedWith(resource.id, selected))}>{t('tree.into')}</Menu.Item>
                          </Menu.Dropdown>
                        </Menu>
                      )}
                    </div>
                  );
                }}
              />
            </Paper>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 6 }}>
            {chosen ? <Detail resource={chosen} /> : <Text c="dimmed" p="md">{t('tree.choose')}</Text>}
          </Grid.Col>
        </Grid>
      )}
      {isMaking && <NewFolder within={chosen && isFolder(chosen) ? chosen.id : null} close={() => setMaking(false)} />}
      {moving && (
        <IntoFolder
          resources={resources} ids={moving} move={(places) => move.mutateAsync(places)} close={() => setMoving(null)}
        />
      )}
    </>
  );
}

/** Moves in one transaction, and takes it back in one. */
function useMove(resources: readonly ResourceView[]) {
  const { t } = useTranslation();
  const mayTakeBack = useMay()('audit', 'modify');
  const takeBack = async (transaction: number) => {
    try {
      await call('POST', `/changes/${transaction}/revert`, { body: { transaction: true } });
      notify({ tone: 'good', title: t('revert.done') });
    } catch (error) {
      notifyFailure(error, t);
    }
    await changed('resources');
  };
  return useMutation({
    mutationFn: (places: Place[]) => {
      const moves = places.map((place) => ({ ...place, revision: resources.find(({ id }) => id === place.id)?.revision ?? 0 }));
      return call<Moved>('POST', '/resources/move', { body: { moves } });
    },
    onSuccess: ({ transaction }) => {
      const action = mayTakeBack && transaction != null ? { action: { label: t('tree.take_back'), run: () => void takeBack(transaction) } } : {};
      notify({ tone: 'good', title: t('tree.moved'), ...action });
    },
    onError: (error) => notifyFailure(error, t),
    onSettled: () => changed('resources'),
  });
}

/** Something can be dropped into an empty folder, too: the kit lets that into what says that it has children only. */
const nodesOf = (branches: Branch[]): TreeNodeData[] =>
  branches.map(({ resource, children }) => ({ value: resource.id, label: resource.name, ...(isFolder(resource) ? { children: nodesOf(children), hasChildren: true } : {}) }));

function Picture({ resource }: { resource: ResourceView }) {
  if (resource.spec.icon) return <img src={pictureOf(resource.spec.icon)} alt="" width={24} height={24} draggable={false} />;
  return isFolder(resource) ? <IconFolder size={24} stroke={1.3} aria-hidden /> : <img src={pictureOf('builtin:application')} alt="" width={24} height={24} draggable={false} />;
}

/** What a resource is and who sees it, without leaving the tree. */
function Detail({ resource }: { resource: ResourceView }) {
  const { t } = useTranslation();
  const { spec, effective } = resource;
  return (
    <Paper withBorder p="md" className="card" data-testid="detail">
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="sm">
            <Picture resource={resource} />
            <Title order={2} size="h3">{spec.title || resource.name}</Title>
          </Group>
          <LinkButton to={`/resources/${resource.id}`} variant="default" size="xs">{t('tree.open')}</LinkButton>
        </Group>
        <Text size="sm" c="dimmed">{choiceOf('Target', spec.target.kind, t)}</Text>
        {spec.description && <Text size="sm">{spec.description}</Text>}
        {effective.status != null && effective.inherited_from != null && (
          <Text size="sm">{choiceOf('Status', effective.status.state, t)}: {t('tree.inherited_from')} <Name kind="resource" id={effective.inherited_from} /></Text>
        )}
        <Title order={3} size="h5">{t('tree.who')}</Title>
        <RulesView rules={spec.rules ?? {}} />
        {spec.folder && <Text size="sm" c="dimmed">{t('tree.folder_too')} <Name kind="resource" id={spec.folder} /></Text>}
        <Link to="/access" search={{ resource: resource.id }} size="sm" underline="always">{t('tree.check')}</Link>
      </Stack>
    </Paper>
  );
}

function NewFolder({ within, close }: { within: string | null; close: () => void }) {
  const { t } = useTranslation();
  const go = useGo();
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: () => call<ResourceView>('POST', '/resources', { body: { name: name.trim(), spec: { folder: within, target: { kind: 'folder' } } } }),
    onSuccess: async ({ id }) => { await changed('resources'); close(); go('/publishing', { at: id }); },
  });
  return (
    <Dialog onClose={close} title={t('tree.new_folder')}>
      <form onSubmit={(event) => { event.preventDefault(); if (name.trim() !== '') make.mutate(); }}>
        <Stack>
          {make.isError && <Failure error={make.error} />}
          <TextInput label={t('field.name')} value={name} maxLength={256} data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" disabled={name.trim() === ''} loading={make.isPending}>{t('tree.make')}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function IntoFolder({ resources, ids, move, close }: { resources: readonly ResourceView[]; ids: readonly string[]; move: (places: Place[]) => Promise<unknown>; close: () => void }) {
  const { t } = useTranslation();
  const [folder, setFolder] = useState<string | null>(() => resources.find(({ id }) => id === ids[0])?.spec.folder ?? null);
  const [isBusy, setBusy] = useState(false);
  const isFitting = folder === null || !ids.some((id) => liesIn(resources, folder, id));
  const places = placesInto(resources, ids, folder);
  const go = async () => {
    setBusy(true);
    // What goes wrong is told below the page, where all moves are told.
    await move(places).then(close, () => setBusy(false));
  };
  return (
    <Dialog onClose={close} title={t('tree.into_count', { count: ids.length })}>
      <Stack>
        <ObjectSelect
          kind="resource" filter="spec.target.kind:folder" {...(ids.length === 1 && ids[0] !== undefined ? { without: ids[0] } : {})} label={t('tree.folder')} description={t('tree.folder_help')}
          value={folder} onChange={setFolder} error={isFitting ? undefined : t('tree.not_into_itself')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={!isFitting || places.length === 0} loading={isBusy} onClick={() => void go()}>{t('tree.move')}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

/** What keeps users from it; of a folder above it, told apart from its own. */
function StatusBadge({ resource: { effective } }: { resource: ResourceView }) {
  const { t } = useTranslation();
  const { status, inherited_from: from } = effective;
  const folder = useName('resource', from);
  if (status == null) return <Badge size="sm" variant="light" color="red" tt="none">{t('tree.lost')}</Badge>;
  if (status.state === 'enabled') return null;
  const label = choiceOf('Status', status.state, t);
  if (from == null) return <Badge size="sm" variant="light" color="yellow" tt="none">{label}</Badge>;
  return (
    <Tooltip label={t('tree.inherited', { folder: folder ?? '…' })}>
      <Badge size="sm" variant="outline" color="gray" tt="none" data-testid="inherited-status">{label}</Badge>
    </Tooltip>
  );
}
