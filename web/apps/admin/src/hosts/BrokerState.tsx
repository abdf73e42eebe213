import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Certificate, CertificateBadge } from '../certificates/Certificate.tsx';
import { status, type Shown } from '../queries.ts';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { moment } from '../ui/time.ts';

/** What the broker says of itself. Of another one nobody here knows more than its settings. */
export default function BrokerState({ object }: { object: Shown }) {
  const { t, i18n } = useTranslation();
  const farm = useQuery(status).data;
  if (farm === undefined) return null;
  if (farm.broker_id !== object.id) return <Text size="sm">{t('broker.other', { name: farm.broker_name })}</Text>;
  const certificate = farm.certificates.find(({ holder }) => holder === 'broker');
  const facts: Fact[] = [
    [t('host.state'), t('broker.answers')],
    [t('gateway.version'), farm.version],
    [t('broker.clock'), moment(farm.now, i18n.language)],
  ];
  return (
    <Stack>
      <Paper withBorder p="md" className="card"><Facts facts={facts} /></Paper>
      {certificate && (
        <Paper withBorder p="md" className="card" component="section" aria-labelledby="certificate" data-testid="certificate">
          <Group justify="space-between" mb="sm">
            <Title order={2} size="h4" id="certificate">{t('certificate.title')}</Title>
            <CertificateBadge certificate={certificate} />
          </Group>
          <Certificate certificate={certificate} />
        </Paper>
      )}
    </Stack>
  );
}
