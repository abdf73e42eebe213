import { Paper, Stack, Stepper, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { GatewayView } from '@oriel/api/management';
import { PageHead } from '../frame/PageHead.tsx';
import { all, status } from '../queries.ts';
import { LinkButton } from '../ui/Link.tsx';

/** From nothing to a published application: each step knows whether it is done. */
export default function Start() {
  const { t } = useTranslation();
  const farm = useQuery({ ...status, refetchInterval: 3_000 });
  const gateways = useQuery(all<GatewayView>('gateways'));
  const groups = useQuery(all('groups', { limit: 1 }));
  if (!farm.data) return <PageHead title={t('nav.start')} />;
  const { hosts, users, resources, sessions } = farm.data;
  const portal = gateways.data?.find(({ spec }) => spec.public_address)?.spec.public_address;
  const steps = [
    { key: 'host', done: hosts.reachable > 0, to: '/hosts/add', action: t('action.add_host') },
    { key: 'people', done: users > 0 && (groups.data?.length ?? 0) > 0, to: '/users/new', action: t('kinds.user.add') },
    { key: 'publish', done: resources > 0, to: '/publishing/add', action: t('action.publish') },
    { key: 'check', done: sessions.total > 0, to: '/access', action: t('nav.access') },
  ];
  const next = steps.findIndex(({ done }) => !done);
  return (
    <>
      <PageHead title={t('nav.start')} />
      <Paper withBorder p={{ base: 'md', sm: 'xl' }} className="card" maw={760}>
        <Stack>
          <Text>{t('start.text')}</Text>
          <Stepper active={next < 0 ? steps.length : next} orientation="vertical" allowNextStepsSelect={false}>
            {steps.map(({ key, done, to, action }, index) => (
              <Stepper.Step
                key={key} component="div" label={t(`start.${key}.title`)}
                description={
                  <Stack gap="xs" align="flex-start" component="span">
                    <span>{t(done ? `start.${key}.done` : `start.${key}.text`)}</span>
                    {(!done || index === next) && <LinkButton to={to} size="xs" variant={index === next ? 'filled' : 'default'}>{action}</LinkButton>}
                  </Stack>
                }
              />
            ))}
            <Stepper.Completed><Title order={2} size="h4">{t('start.all_done')}</Title></Stepper.Completed>
          </Stepper>
          <Text size="sm" c="dimmed">{portal ? t('start.portal', { address: portal }) : t('start.portal_unknown')}</Text>
        </Stack>
      </Paper>
    </>
  );
}
