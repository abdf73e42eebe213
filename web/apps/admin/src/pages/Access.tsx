import { Accordion, Alert, Group, Paper, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { post, type Device, type EffectiveAccess, type Explanation } from '@oriel/api/management';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectSelect } from '../form/Picker.tsx';
import { choiceOf } from '../form/words.ts';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { Effective } from '../publishing/Effective.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { text, usePlace } from '../ui/go.ts';
import { translated } from '../i18n/index.ts';

const CLIENTS = ['browser', 'mstsc', 'windows_app', 'free_rdp', 'launcher', 'other'];
const SYSTEMS = ['windows', 'mac_os', 'linux', 'chrome_os', 'android', 'ios', 'other'];

/** Why somebody sees what they see: the answer of the rules themselves, for any device, place and time. */
export default function Access() {
  const { t } = useTranslation();
  const may = useMay();
  const [place, setPlace] = usePlace();
  const [facts, setFacts] = useState<Device>({});
  const [settled] = useDebouncedValue(facts, 300);
  const user = text(place.user) || null;
  const resource = text(place.resource) || null;
  const given = Object.fromEntries(Object.entries(settled).filter(([, value]) => value !== null && value !== ''));
  const found = useQuery({
    queryKey: ['access', user, given], enabled: user !== null, placeholderData: keepPreviousData, retry: false,
    queryFn: () => post<EffectiveAccess>('/why/access', { user, facts: given }),
  });
  const launch = useQuery({
    queryKey: ['launch', user, resource, given], enabled: user !== null && resource !== null, retry: false,
    queryFn: () => post<Explanation>('/explain/launch', { user, resource, ...given }),
  });
  if (!may('publishing')) return <NotFound />;

  return (
    <>
      <PageHead title={t('nav.access')} />
      <Stack>
        <Paper withBorder p="md" className="card">
          <Stack>
            <Text size="sm">{t('access.text')}</Text>
            <SimpleGrid cols={{ base: 1, sm: 2 }} style={{ alignItems: 'end' }}>
              <ObjectSelect kind="user" label={t('kinds.user.one')} value={user} onChange={(to) => setPlace({ user: to ?? undefined })} />
              <ObjectSelect kind="resource" label={t('access.resource')} description={t('access.resource_help')} value={resource} onChange={(to) => setPlace({ resource: to ?? undefined })} />
            </SimpleGrid>
            <Accordion variant="contained">
              <Accordion.Item value="facts">
                <Accordion.Control>{t('access.facts')}</Accordion.Control>
                <Accordion.Panel>
                  <SimpleGrid cols={{ base: 1, sm: 2, md: 3 }}>
                    <Select label={t('rules.subject.client')} clearable data={CLIENTS.map((value) => ({ value, label: choiceOf('ClientKind', value, t) }))} value={facts.client_kind ?? null} onChange={(to) => setFacts({ ...facts, client_kind: to as Device['client_kind'] ?? null })} />
                    <Select label={t('rules.subject.client_os')} clearable data={SYSTEMS.map((value) => ({ value, label: choiceOf('ClientOs', value, t) }))} value={facts.client_os ?? null} onChange={(to) => setFacts({ ...facts, client_os: to as Device['client_os'] ?? null })} />
                    <TextInput label={t('rules.subject.client_name')} maxLength={200} value={facts.client_name ?? ''} onChange={(event) => setFacts({ ...facts, client_name: event.currentTarget.value })} />
                    <TextInput label={t('rules.subject.address')} maxLength={60} value={facts.address ?? ''} onChange={(event) => setFacts({ ...facts, address: event.currentTarget.value })} />
                    <ObjectSelect kind="gateway" label={t('rules.subject.gateway')} value={facts.gateway ?? null} onChange={(to) => setFacts({ ...facts, gateway: to })} />
                    <TextInput
                      type="datetime-local" label={t('access.moment')}
                      onChange={(event) => setFacts({ ...facts, at: event.currentTarget.value === '' ? null : new Date(event.currentTarget.value).toISOString() })}
                    />
                  </SimpleGrid>
                </Accordion.Panel>
              </Accordion.Item>
            </Accordion>
          </Stack>
        </Paper>
        {user === null && <Group><Text c="dimmed">{t('access.choose')}</Text></Group>}
        {found.isError && <Failure error={found.error} />}
        {launch.data && <Alert color="frame" variant="light" icon={<IconInfoCircle aria-hidden />} title={t('access.launch', { resource: launch.data.resource_name })}>{translated(launch.data.summary)}</Alert>}
        {user !== null && found.data && <Effective access={found.data} {...(resource === null ? {} : { only: resource })} />}
      </Stack>
    </>
  );
}
