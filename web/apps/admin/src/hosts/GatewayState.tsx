import { Badge, Code, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { CertificateState, GatewayView, Standing } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import type { Shown } from '../queries.ts';
import { Ago } from '../ui/Ago.tsx';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { moment, percent } from '../ui/time.ts';

const COLOURS: Record<Standing, string> = { good: 'green', ending: 'orange', ended: 'red', not_yet: 'red' };

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
            {state.certificate && <Badge variant="light" tt="none" color={COLOURS[state.certificate.standing]}>{t(`certificate.standing.${state.certificate.standing}`)}</Badge>}
          </Group>
          {state.certificate ? <Certificate certificate={state.certificate} /> : <Text size="sm">{t('certificate.none')}</Text>}
        </Paper>
      )}
    </Stack>
  );
}

function Certificate({ certificate }: { certificate: CertificateState }) {
  const { t, i18n } = useTranslation();
  const { subject, issuer, names, not_before: from, not_after: to, sha256, self_signed: isSelfSigned } = certificate;
  const facts: Fact[] = [
    [t('certificate.names'), names.join(', ') || t('value.none')],
    [t('certificate.until'), t('certificate.range', { from: moment(from, i18n.language), to: moment(to, i18n.language) })],
    [t('certificate.subject'), subject],
    [t('certificate.issuer'), isSelfSigned ? t('certificate.self_signed') : issuer],
    [t('certificate.sha256'), <Code key="sha256" style={{ overflowWrap: 'anywhere' }}>{sha256}</Code>],
  ];
  return <Facts facts={facts} />;
}
