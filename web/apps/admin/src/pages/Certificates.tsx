import { Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { HeldCertificate, Standing } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Certificate, CertificateBadge } from '../certificates/Certificate.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { status } from '../queries.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link } from '../ui/Link.tsx';

/** What is worst comes first. */
const ORDER: readonly Standing[] = ['ended', 'not_yet', 'ending', 'good'];

/** Every certificate that the farm's parts show, how it stands, and what to do about it. */
export default function Certificates() {
  const { t } = useTranslation();
  const may = useMay();
  const farm = useQuery(status);
  if (!may('infrastructure')) return <NotFound />;
  const held = (farm.data?.certificates ?? []).toSorted((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing));
  return (
    <>
      <PageHead title={t('nav.certificates')} />
      {farm.isError && farm.data === undefined && <Failure error={farm.error} retry={() => void farm.refetch()} />}
      <Stack>
        <Text size="sm">{t('certificate.about')}</Text>
        {held.map((each) => <Held key={`${each.holder} ${each.gateway}`} held={each} broker={farm.data?.broker_id ?? ''} />)}
      </Stack>
    </>
  );
}

function Held({ held, broker }: { held: HeldCertificate; broker: string }) {
  const { t } = useTranslation();
  const { holder, gateway, name, standing } = held;
  const page = { gateway: `/gateways/${gateway}`, broker: `/brokers/${broker}`, authority: null }[holder];
  const id = `${holder}-${gateway ?? ''}`;
  return (
    <Paper withBorder p="md" className="card" component="section" aria-labelledby={id} data-testid="certificate">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id={id}>{t(`certificate.holder.${holder}`)} {page === null ? name : <Link to={page} search={{ tab: 'state' }} inherit underline="always">{name}</Link>}</Title>
        <CertificateBadge certificate={held} />
      </Group>
      {standing !== 'good' && <Text size="sm" mb="sm">{t(`trouble.certificate.${holder}`)}</Text>}
      <Certificate certificate={held} isAuthority={holder === 'authority'} />
    </Paper>
  );
}
