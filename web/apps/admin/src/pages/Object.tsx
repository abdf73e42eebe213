import { Button, Tabs, Text } from '@mantine/core';
import { Refusal, type HostView, type TokenView } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { Suspense, lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NotFound } from '../frame/Trouble.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { byPlural } from '../kinds.ts';
import { Delete } from '../object/Delete.tsx';
import { Editing } from '../object/Editing.tsx';
import { OtherEditors } from '../object/OtherEditors.tsx';
import { Reading } from '../object/Reading.tsx';
import UsedBy from '../object/UsedBy.tsx';
import { panelsOf } from '../object/panels.tsx';
import { isReferred } from '../object/references.ts';
import { object as objectQuery, useKinds, type Shown } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Ago } from '../ui/Ago.tsx';
import { Failure } from '../ui/Failure.tsx';
import { HostHealth } from '../ui/HostHealth.tsx';
import { text, useGo, usePlace } from '../ui/go.ts';
import { authorOf } from '../ui/words.ts';

const Entries = lazy(async () => ({ default: (await import('../audit/Entries.tsx')).Entries }));
const HostButtons = lazy(() => import('../hosts/HostButtons.tsx'));
const PasswordButton = lazy(() => import('../hosts/PasswordButton.tsx'));

/** The page of any object: read first; edited on purpose. */
export default function ObjectPage() {
  const { kind: plural, id } = useParams({ strict: false }) as { kind: string; id: string };
  const facts = byPlural(plural);
  const may = useMay();
  if (!facts || !may(facts.area)) return <NotFound />;
  return <Known key={`${plural} ${id}`} plural={plural} kind={facts.kind} area={facts.area} id={id} />;
}

function Known({ plural, kind, area, id }: { plural: string; kind: string; area: Parameters<ReturnType<typeof useMay>>[0]; id: string }) {
  const { t } = useTranslation();
  const may = useMay();
  const go = useGo();
  const [place, setPlace] = usePlace();
  const verbs = useKinds().find((each) => each.kind === kind)?.verbs ?? [];
  const found = useQuery(objectQuery<Shown>(plural, id));
  const [isDeleting, setDeleting] = useState(false);
  const crumbs = kind === 'farm' ? [] : [kind === 'resource' ? { label: t('nav.publishing'), to: '/publishing' } : { label: t(`kinds.${kind}.many`), to: `/${plural}` }];

  if (found.data === null || (found.error instanceof Refusal && found.error.status === 404)) return <NotFound />;
  if (found.isError && found.data === undefined) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const object = found.data;
  if (object === undefined) return <PageHead title={t('loading')} crumbs={crumbs} />;

  const canChange = verbs.includes('change') && may(area, 'modify');
  const isEditing = place.edit === true && canChange;
  const panels = panelsOf(kind).filter(({ area: needed }) => may(needed));
  const tabs = [...panels.map(({ key }) => key as string), ...(isReferred(kind) ? ['used_by'] : []), ...(may('audit') ? ['history'] : [])];
  const tab = tabs.includes(text(place.tab)) ? text(place.tab) : 'settings';

  return (
    <>
      <PageHead
        title={object.name} crumbs={crumbs}
        beside={kind === 'host' ? <HostHealth host={object as unknown as HostView} /> : <Text size="sm" c="dimmed">{t(`kinds.${kind}.one`)}</Text>}
        actions={!isEditing && (
          <>
            <Suspense>
              {kind === 'host' && may('hosts', 'control') && <HostButtons host={object as unknown as HostView} />}
              {kind === 'user' && may('directory', 'modify') && <PasswordButton plural="users" user={object} />}
              {kind === 'directory' && may('directory', 'modify') && <PasswordButton plural="directories" user={object} />}
            </Suspense>
            {canChange && <Button leftSection={<IconPencil size={18} aria-hidden />} onClick={() => setPlace({ edit: true, tab: undefined })} data-testid="edit">{t('object.edit')}</Button>}
            {verbs.includes('delete') && may(area, 'delete') && (
              <Button variant="light" color="red" leftSection={<IconTrash size={18} aria-hidden />} onClick={() => setDeleting(true)} data-testid="delete">{t('delete.now')}</Button>
            )}
          </>
        )}
      />
      {isEditing ? (
        <Editing kind={kind} object={object} close={() => setPlace({ edit: undefined })} />
      ) : (
        <>
          <OtherEditors kind={kind} id={id} isEditing={false} />
          <LastChange object={object} />
          <Tabs value={tab} onChange={(to) => setPlace({ tab: to === 'settings' ? undefined : (to ?? undefined) })} keepMounted={false}>
            <Tabs.List mb="md">
              <Tabs.Tab value="settings">{t('object.settings')}</Tabs.Tab>
              {panels.map(({ key }) => <Tabs.Tab key={key} value={key}>{t(`panel.${key}`)}</Tabs.Tab>)}
              {isReferred(kind) && <Tabs.Tab value="used_by">{t('panel.used_by')}</Tabs.Tab>}
              {may('audit') && <Tabs.Tab value="history">{t('panel.history')}</Tabs.Tab>}
            </Tabs.List>
            <Tabs.Panel value="settings"><Reading kind={kind} object={object} /></Tabs.Panel>
            {panels.map(({ key, Panel }) => (
              <Tabs.Panel key={key} value={key}>
                <Suspense><Panel object={object} /></Suspense>
              </Tabs.Panel>
            ))}
            {isReferred(kind) && <Tabs.Panel value="used_by"><UsedBy kind={kind} object={object} /></Tabs.Panel>}
            {may('audit') && <Tabs.Panel value="history"><Suspense><Entries query={{ object: id }} of={id} /></Suspense></Tabs.Panel>}
          </Tabs>
        </>
      )}
      {isDeleting && <Delete kind={kind} object={object} close={() => setDeleting(false)} onDone={() => go(kind === 'resource' ? '/publishing' : `/${plural}`)} />}
    </>
  );
}

function LastChange({ object }: { object: Shown }) {
  const { t } = useTranslation();
  // Of tokens only.
  const { last_used_at: used } = object as Partial<Pick<TokenView, 'last_used_at'>>;
  return (
    <Text size="sm" c="dimmed" mb="sm">
      {t('object.last_change', { name: authorOf(object.changed_by, t) })} <Ago when={object.changed_at} />
      {used !== undefined && <span data-testid="last-used"> · {t('token.used')}: {used === null ? t('token.never_used') : <Ago when={used} />}</span>}
    </Text>
  );
}
