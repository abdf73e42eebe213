import { Button, Group, List, Stack, Text } from '@mantine/core';
import type { HostView, InstalledApp } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectSelect } from '../form/Picker.tsx';
import { runEach, type Outcome } from '../list/run.ts';
import { ProgramPicker } from '../publishing/ProgramPicker.tsx';
import { freeNames, publish } from '../publishing/programs.ts';
import { all, changed } from '../queries.ts';
import { wordsOf } from '../ui/words.ts';
import { programs } from './progress.ts';

/** Picks from what is installed on a host. Published at once, for nobody yet: the next step says for whom. */
export function Programs() {
  const { t } = useTranslation();
  const [wanted, setHost] = useState<string | null>(null);
  const [apps, setApps] = useState<InstalledApp[]>([]);
  const [failed, setFailed] = useState<ReadonlyMap<string, unknown>>(new Map());
  const hosts = useQuery(all<HostView>('hosts', { filter: 'state.reachable:true' }));
  const published = useQuery(programs);
  const host = hosts.data?.find(({ id }) => id === wanted) ?? hosts.data?.[0];
  const run = useMutation({
    mutationFn: async () => {
      if (host === undefined) return;
      const names = freeNames(apps, published.data ?? []);
      const outcomes = new Map<string, Outcome>();
      const choice = { pool: host.spec.pool, folder: null, groups: 'nobody yet' as const, ruleName: '' };
      await runEach(apps, (app) => publish(app, names.get(app.id) ?? app.name, choice), (id, outcome) => outcomes.set(id, outcome));
      const bad = new Map([...outcomes].flatMap(([id, outcome]) => (typeof outcome === 'object' ? [[id, outcome.failed] as const] : [])));
      setFailed(bad);
      // What has failed stays chosen, to be tried again.
      setApps(apps.filter(({ id }) => bad.has(id)));
      await changed('resources');
    },
  });
  return (
    <Stack gap="sm">
      <Text size="sm">{t('start.programs.text')}</Text>
      {(hosts.data?.length ?? 0) > 1 && <ObjectSelect kind="host" filter="state.reachable:true" label={t('kinds.host.one')} value={host?.id ?? null} onChange={(to) => { setHost(to); setApps([]); }} />}
      {host && <ProgramPicker key={host.id} host={host.id} chosen={apps} onChange={setApps} />}
      {failed.size > 0 && (
        <List size="sm" role="alert">
          {apps.filter(({ id }) => failed.has(id)).map(({ id, name }) => <List.Item key={id}>{name}: {wordsOf(failed.get(id), t).detail}</List.Item>)}
        </List>
      )}
      <Group><Button disabled={apps.length === 0} loading={run.isPending} onClick={() => run.mutate()} data-testid="publish-now">{t('publish.now', { count: apps.length })}</Button></Group>
    </Stack>
  );
}
