import { Badge, Code } from '@mantine/core';
import type { CertificateState, Standing } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { Facts, type Fact } from '../ui/Facts.tsx';
import { moment } from '../ui/time.ts';

const COLOURS: Record<Standing, string> = { good: 'green', ending: 'orange', ended: 'red', not_yet: 'red' };

/** How it stands, in a word. */
export function CertificateBadge({ certificate: { standing } }: { certificate: CertificateState }) {
  const { t } = useTranslation();
  return <Badge variant="light" tt="none" color={COLOURS[standing]}>{t(`certificate.standing.${standing}`)}</Badge>;
}

/** What it says. Authorities vouch for themselves: of those nobody is warned. */
export function Certificate({ certificate, isAuthority = false }: { certificate: CertificateState; isAuthority?: boolean }) {
  const { t, i18n } = useTranslation();
  const { subject, issuer, names, not_before: from, not_after: to, sha256, self_signed: isSelfSigned } = certificate;
  const facts: Fact[] = [
    [t('certificate.names'), names.join(', ') || t('value.none')],
    [t('certificate.until'), t('certificate.range', { from: moment(from, i18n.language), to: moment(to, i18n.language) })],
    [t('certificate.subject'), subject],
    [t('certificate.issuer'), isSelfSigned ? t(isAuthority ? 'certificate.authority' : 'certificate.self_signed') : issuer],
    [t('certificate.sha256'), <Code key="sha256" style={{ overflowWrap: 'anywhere' }}>{sha256}</Code>],
  ];
  return <Facts facts={facts} />;
}
