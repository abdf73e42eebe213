import { Alert, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { status } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Link } from '../ui/Link.tsx';
import { moment } from '../ui/time.ts';
import { translated } from '../i18n/index.ts';

/** How the log goes to the syslog server. */
export function Sending() {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const farm = useQuery(status).data;
  if (!farm) return null;
  const { syslog } = farm;
  return (
    <Paper withBorder p="md" className="card" component="section" aria-labelledby="sending" data-testid="sending">
      <Stack gap="sm">
        <Group mih={30}><Title order={2} size="h5" id="sending">{t('audit.sending.title')}</Title></Group>
        {!syslog && (
          <Text size="sm">
            {t('audit.sending.none')} {may('infrastructure') && <Link to={`/farms/${farm.farm_id}`} inherit underline="always">{t('audit.sending.set')}</Link>}
          </Text>
        )}
        {syslog?.failure && (
          <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('audit.sending.failed', { server: syslog.server })}>
            {translated(syslog.failure.why)} ({moment(syslog.failure.at, i18n.language)})
          </Alert>
        )}
        {syslog && (
          <Text size="sm">
            {syslog.connected_since ? t('audit.sending.connected', { server: syslog.server, when: moment(syslog.connected_since, i18n.language) }) : t('audit.sending.away', { server: syslog.server })}{' '}
            {t('audit.sending.waiting', { number: syslog.waiting, sent: syslog.sent })}{' '}
            {syslog.dropped > 0 && t('audit.sending.dropped', { number: syslog.dropped })}
          </Text>
        )}
      </Stack>
    </Paper>
  );
}
