import { ActionIcon, Badge, Box, Button, EmptyState, Grid, Group, Menu, Modal, Paper, Stack, Text, TextInput, Title, Tree, getTreeExpandedState, useTree, type TreeNodeData } from '@mantine/core';
import { call, type ResourceView } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconArrowDown, IconArrowUp, IconChevronDown, IconChevronRight, IconDots, IconFolder, IconFolderPlus, IconFolderSymlink, IconPlus, IconSitemap } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { pictureOf } from '../form/IconPicker.tsx';
import { Name } from '../form/Names.tsx';
import { ObjectSelect } from '../form/Picker.tsx';
import { RulesView } from '../form/RulesView.tsx';
import { choiceOf } from '../form/words.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { branchesOf, isFolder, liesIn, placesAfter, step, type Branch, type Move } from '../publishing/tree.ts';
import { all, changed } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link, LinkButton } from '../ui/Link.tsx';
import { notify, notifyFailure } from '../ui/notify.ts';
import { text, useGo, usePlace } from '../ui/go.ts';

/** What is published, as users find it: moved by hand or by keys. */
export default function Publishing() {
  const { t } = useTranslation();
  const may = useMay();
  const canMove = may('publishing', 'modify');
  const canAdd = may('publishing', 'add');
  const found = useQuery(all<ResourceView>('resources'));
  const [place, setPlace] = usePlace();
  const [isMaking, setMaking] = useState(false);
  const [moving, setMoving] = useState<ResourceView | null>(null);
  const resources = useMemo(() => found.data ?? [], [found.data]);
  const branches = useMemo(() => branchesOf(resources), [resources]);
  const data = useMemo(() => nodesOf(branches), [branches]);
  const tree = useTree();
  const chosen = resources.find(({ id }) => id === text(place.at));

  useEffect(() => {
    tree.setExpandedState(getTreeExpandedState(data, '*'));
    // Folders that come later open too; what was closed by hand opens then as well, which is seldom.
  }, [data.length]);

  const move = useMutation({
    mutationFn: async (wanted: Move) => {
      for (const { id, folder, order } of placesAfter(resources, wanted)) {
        const { revision } = resources.find((each) => each.id === id) ?? { revision: 0 };
        await call('PATCH', `/resources/${id}`, { body: { spec: { folder, order } }, revision });
      }
    },
    onSuccess: () => notify({ tone: 'good', title: t('tree.moved') }),
    onError: (error) => notifyFailure(error, t),
    onSettled: () => changed('resources'),
  });
  const by = (id: string, steps: -1 | 1) => {
    const wanted = step(resources, id, steps);
    if (wanted) move.mutate(wanted);
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
                data={data} tree={tree} aria-label={t('nav.publishing')} levelOffset="md" expandOnClick={false} selectOnClick data-testid="tree"
                {...(canMove ? { onDragDrop: ({ draggedNode, targetNode, position }) => move.mutate({ dragged: draggedNode, target: targetNode, position }) } : {})}
                allowDrop={({ draggedNode, targetNode, position }) => placesAfter(resources, { dragged: draggedNode, target: targetNode, position }).length > 0}
                renderNode={({ node, expanded, hasChildren, elementProps, tree: controls }) => {
                  const resource = resources.find(({ id }) => id === node.value);
                  if (!resource) return null;
                  return (
                    <div
                      {...elementProps} className={`${elementProps.className} node`} data-selected={resource.id === chosen?.id || undefined}
                      onClick={(event) => { elementProps.onClick(event); setPlace({ at: resource.id }); }}
                    >
                      <Box w={22} aria-hidden onClick={(event) => { event.stopPropagation(); controls.toggleExpanded(node.value); }}>
                        {hasChildren && (expanded ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />)}
                      </Box>
                      <Picture resource={resource} />
                      <Text component="span" size="sm" flex={1} miw={0} truncate>{resource.spec.title || resource.name}</Text>
                      {resource.spec.status && resource.spec.status.state !== 'enabled' && <Badge size="sm" variant="light" color="yellow" tt="none">{choiceOf('Status', resource.spec.status.state, t)}</Badge>}
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
                            <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => setMoving(resource)}>{t('tree.into')}</Menu.Item>
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
          resource={moving} isFitting={(folder) => folder === null || !liesIn(resources, folder, moving.id)} close={() => setMoving(null)}
        />
      )}
    </>
  );
}

const nodesOf = (branches: Branch[]): TreeNodeData[] =>
  branches.map(({ resource, children }) => ({ value: resource.id, label: resource.name, ...(children.length > 0 ? { children: nodesOf(children) } : {}) }));

function Picture({ resource }: { resource: ResourceView }) {
  if (resource.spec.icon) return <img src={pictureOf(resource.spec.icon)} alt="" width={24} height={24} draggable={false} />;
  return isFolder(resource) ? <IconFolder size={24} stroke={1.3} aria-hidden /> : <img src={pictureOf('builtin:application')} alt="" width={24} height={24} draggable={false} />;
}

/** What a resource is and who sees it, without leaving the tree. */
function Detail({ resource }: { resource: ResourceView }) {
  const { t } = useTranslation();
  const { spec } = resource;
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
    <Modal opened onClose={close} title={t('tree.new_folder')} closeButtonProps={{ 'aria-label': t('close') }}>
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
    </Modal>
  );
}

function IntoFolder({ resource, isFitting, close }: { resource: ResourceView; isFitting: (folder: string | null) => boolean; close: () => void }) {
  const { t } = useTranslation();
  const [folder, setFolder] = useState<string | null>(resource.spec.folder ?? null);
  const move = useMutation({
    mutationFn: () => call('PATCH', `/resources/${resource.id}`, { body: { spec: { folder } }, revision: resource.revision }),
    onSuccess: async () => { await changed('resources'); close(); },
  });
  return (
    <Modal opened onClose={close} title={t('tree.into')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {move.isError && <Failure error={move.error} />}
        <ObjectSelect
          kind="resource" filter="spec.target.kind:folder" without={resource.id} label={t('tree.folder')} description={t('tree.folder_help')} value={folder} onChange={setFolder}
          error={isFitting(folder) ? undefined : t('tree.not_into_itself')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={!isFitting(folder)} loading={move.isPending} onClick={() => move.mutate()}>{t('tree.move')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
