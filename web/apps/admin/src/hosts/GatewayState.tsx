import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { GatewayView } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { Certificate, CertificateBadge } from '../certificates/Certificate.tsx';
import type { Shown } from '../queries.ts';
import { Ago } from '../ui/Ago.tsx';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { percent } from '../ui/time.ts';

/** What the gateway reports: what it carries, and the certificate that it shows. */
export default function GatewayState({ object }: { object: Shown }) {
  const { t, i18n } = useTranslation();
  const { state } = object as unknown as GatewayView;
  const facts: Fact[] = [
    [t('host.state'), t(state.reachable ? (state.draining ? 'gateway.draining' : 'gateway.connected') : 'gateway.away')],
    [t('gateway.connections'), state.connections],
    [t('host.gauge.cpu'), state.cpu_load == null ? t('value.none') : percent(state.cpu_load, i18n.language)],
    [t('gateway.version'), state.version ?? t('value.none')],
    [t('host.machine'), state.machine_name ?? t('value.none')],
    [t('host.report'), state.last_report ? <Ago when={state.last_report} /> : t('value.none')],
  ];
  return (
    <Stack>
      <Paper withBorder p="md" className="card"><Facts facts={facts} /></Paper>
      {state.reachable && (
        <Paper withBorder p="md" className="card" component="section" aria-labelledby="certificate" data-testid="certificate">
          <Group justify="space-between" mb="sm">
            <Title order={2} size="h4" id="certificate">{t('certificate.title')}</Title>
            {state.certificate && <CertificateBadge certificate={state.certificate} />}
          </Group>
          {state.certificate ? <Certificate certificate={state.certificate} /> : <Text size="sm">{t('certificate.none')}</Text>}
        </Paper>
      )}
    </Stack>
  );
}
