import { Alert, Button, Group, List, Loader, Paper, Stack, Stepper, Text, Title } from '@mantine/core';
import type { HostView, InstalledApp, ResourceView } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Names, Name } from '../form/Names.tsx';
import { ObjectMultiSelect, ObjectSelect } from '../form/Picker.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { runEach, type Outcome } from '../list/run.ts';
import { ProgramPicker, ProgramPicture } from '../publishing/ProgramPicker.tsx';
import { freeNames, publish } from '../publishing/programs.ts';
import { all, changed, object as objectQuery } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { LinkButton } from '../ui/Link.tsx';
import { wordsOf } from '../ui/words.ts';

/** From a host's installed programs to icons in front of users, in four steps. */
export default function Publish() {
  const { t } = useTranslation();
  const may = useMay();
  const [step, setStep] = useState(0);
  const [wantedHost, setHost] = useState<string | null>(null);
  const [apps, setApps] = useState<InstalledApp[]>([]);
  const [groups, setGroups] = useState<string[]>([]);
  const [folder, setFolder] = useState<string | null>(null);
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome> | null>(null);
  const reachable = useQuery(all<HostView>('hosts', { filter: 'state.reachable:true' }));
  const published = useQuery(all<ResourceView>('resources'));
  // Where there is only one, there is nothing to choose.
  const host = wantedHost ?? (reachable.data?.length === 1 ? (reachable.data[0]?.id ?? null) : null);
  const chosenHost = useQuery({ ...objectQuery<HostView>('hosts', host ?? ''), enabled: host !== null });
  const pool = chosenHost.data?.spec.pool ?? null;

  if (!may('publishing', 'add')) return <NotFound />;

  const run = async () => {
    if (pool === null) return;
    setStep(4);
    setOutcomes(new Map(apps.map(({ id }) => [id, 'waiting'])));
    const names = freeNames(apps, published.data ?? []);
    await runEach(
      apps,
      (app) => publish(app, names.get(app.id) ?? app.name, { pool, folder, groups, ruleName: t('publish.rule_name') }),
      (id, outcome) => setOutcomes((before) => new Map(before).set(id, outcome)),
    );
    await changed('resources');
  };
  const isDone = outcomes !== null && [...outcomes.values()].every((outcome) => outcome !== 'waiting');
  const canGoOn = step === 0 ? pool !== null : step === 1 ? apps.length > 0 : true;

  return (
    <>
      <PageHead title={t('action.publish')} crumbs={[{ label: t('nav.publishing'), to: '/publishing' }]} />
      <Paper withBorder p={{ base: 'sm', sm: 'lg' }} className="card">
        <Stepper active={step} onStepClick={setStep} allowNextStepsSelect={false} size="sm" iconSize={32}>
          <Stepper.Step label={t('publish.host')}>
            <Stack maw={480}>
              <Text size="sm">{t('publish.host_text')}</Text>
              <ObjectSelect kind="host" filter="state.reachable:true" label={t('kinds.host.one')} value={host} onChange={setHost} />
              {reachable.data?.length === 0 && (
                <Alert color="orange" variant="light" title={t('publish.no_host')}>
                  {t('publish.no_host_text')} <LinkButton to="/hosts/add" size="xs" variant="default" mt="xs">{t('action.add_host')}</LinkButton>
                </Alert>
              )}
              {pool !== null && <Text size="sm" c="dimmed">{t('publish.pool')} <Name kind="pool" id={pool} /></Text>}
            </Stack>
          </Stepper.Step>
          <Stepper.Step label={t('publish.programs')}>{host !== null && <ProgramPicker host={host} chosen={apps} onChange={setApps} />}</Stepper.Step>
          <Stepper.Step label={t('publish.whom')}>
            <Stack maw={480}>
              <ObjectMultiSelect kind="group" label={t('publish.groups')} description={t('publish.groups_help')} value={groups} onChange={setGroups} />
              <ObjectSelect kind="resource" filter="spec.target.kind:folder" label={t('tree.folder')} description={t('tree.folder_help')} value={folder} onChange={setFolder} />
            </Stack>
          </Stepper.Step>
          <Stepper.Step label={t('publish.check')}>
            <Stack>
              <Title order={2} size="h4">{t('publish.summary', { count: apps.length })}</Title>
              <List spacing="xs">
                {apps.map((app) => <List.Item key={app.id} icon={<ProgramPicture app={app} size={24} />}>{app.name}</List.Item>)}
              </List>
              <Text size="sm">{groups.length === 0 ? t('rules.everybody.allow') : <>{t('publish.seen_by')} <Names kind="group" ids={groups} link={false} /></>}</Text>
              <Text size="sm">{t('tree.folder')}: {folder === null ? t('tree.top') : <Name kind="resource" id={folder} link={false} />}</Text>
            </Stack>
          </Stepper.Step>
          <Stepper.Completed>
            <Stack>
              <List spacing="xs" listStyleType="none" role="status" data-testid="published">
                {apps.map((app) => {
                  const outcome = outcomes?.get(app.id) ?? 'waiting';
                  if (outcome === 'waiting') return <List.Item key={app.id} icon={<Loader size={18} />}>{app.name}</List.Item>;
                  if (outcome === 'done') return <List.Item key={app.id} icon={<IconCheck size={20} color="var(--mantine-color-green-filled)" aria-hidden />}>{app.name}: {t('publish.done')}</List.Item>;
                  const words = wordsOf(outcome.failed, t);
                  return <List.Item key={app.id} icon={<IconAlertTriangle size={20} color="var(--mantine-color-red-filled)" aria-hidden />}>{app.name}: {words.title}. {words.detail}</List.Item>;
                })}
              </List>
              {isDone && (
                <Group>
                  <LinkButton to="/publishing">{t('publish.to_tree')}</LinkButton>
                  <LinkButton to="/access" variant="default">{t('nav.access')}</LinkButton>
                </Group>
              )}
            </Stack>
          </Stepper.Completed>
        </Stepper>
        {step < 4 && (
          <Group justify="flex-end" mt="lg">
            {step > 0 && <Button variant="default" onClick={() => setStep(step - 1)}>{t('publish.back')}</Button>}
            {step < 3 ? (
              <Button disabled={!canGoOn} onClick={() => setStep(step + 1)} data-testid="next">{t('publish.next')}</Button>
            ) : (
              <Button onClick={() => void run()} data-testid="publish-now">{t('publish.now', { count: apps.length })}</Button>
            )}
          </Group>
        )}
      </Paper>
    </>
  );
}
