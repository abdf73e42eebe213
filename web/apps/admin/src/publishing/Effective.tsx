import { Alert, Badge, Group, Paper, Stack, Table, Text, Title } from '@mantine/core';
import type { EffectiveAccess, ResourceAccess } from '@oriel/api/management';
import { IconBan } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { Name } from '../form/Names.tsx';
import { choiceOf } from '../form/words.ts';
import { useMay } from '../sign-in/use-may.ts';
import { Link } from '../ui/Link.tsx';
import { useIsNarrow } from '../ui/narrow.ts';
import { moment } from '../ui/time.ts';
import { translated } from '../i18n/index.ts';

/** What a user sees and may do, and which rule says so. */
export function Effective({ access, only }: { access: EffectiveAccess; only?: string }) {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const isNarrow = useIsNarrow();
  const rows = only === undefined ? access.resources : access.resources.filter(({ id }) => id === only);
  return (
    <Stack data-testid="effective">
      {!access.user_enabled && <Alert color="red" variant="light" icon={<IconBan aria-hidden />} title={t('access.user_disabled')} />}
      {!access.clients.may_sign_in && <Alert color="red" variant="light" icon={<IconBan aria-hidden />} title={t('access.client_refused')}>{translated(access.clients.message ?? '')}</Alert>}
      {!access.hours.is_open && <Alert color="orange" variant="light" icon={<IconBan aria-hidden />} title={t('access.closed')}>{translated(access.hours.message ?? '')}</Alert>}
      <Paper withBorder p="md" className="card">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h4">{t('access.sees', { name: access.user_name, count: access.visible })}</Title>
          <Text size="sm" c="dimmed">{t('access.at', { when: moment(access.at, i18n.language) })}</Text>
        </Group>
        <Text size="sm" mb="sm">
          {t('access.policy')}{' '}
          {access.policy.policy ? <Link to={`/policies/${access.policy.policy.id}`} inherit underline="always">{access.policy.policy.name}</Link> : t('access.no_policy')}
          {access.hours.hours && <> · {t('access.hours')} <Link to={`/logon_hours/${access.hours.hours.id}`} inherit underline="always">{access.hours.hours.name}</Link></>}
        </Text>
        <Table.ScrollContainer minWidth={280}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('session.resource')}</Table.Th>
                {!isNarrow && <Table.Th>{t('access.answer_label')}</Table.Th>}
                <Table.Th>{t('access.why')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.id}>
                  <Table.Td><Link to={`/resources/${row.id}`} inherit underline="always">{row.name}</Link> <Text component="span" size="xs" c="dimmed">{choiceOf('Target', row.kind, t)}</Text>{isNarrow && <div><Answer row={row} /></div>}</Table.Td>
                  {!isNarrow && <Table.Td><Answer row={row} /></Table.Td>}
                  <Table.Td><Why row={row} t={t} /> {may('publishing', 'modify') && <Mend row={row} />}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Paper>
    </Stack>
  );
}

function Answer({ row: { access: { answer } } }: { row: ResourceAccess }) {
  const { t } = useTranslation();
  return <Badge variant="light" tt="none" color={answer === 'open' ? 'green' : answer === 'maintenance' ? 'yellow' : 'gray'}>{t(`access.answer.${answer}`)}</Badge>;
}

/** Where what hides it is set. */
function Mend({ row: { id, access } }: { row: ResourceAccess }) {
  const { t } = useTranslation();
  if (access.answer !== 'hidden') return null;
  const { because } = access;
  const where = because.reason === 'folder_rule' ? because.folder : because.reason === 'disabled' ? (because.inherited_from ?? id) : id;
  return <Link to={`/resources/${where}`} search={{ edit: true }} inherit underline="always" data-testid="mend">{t('access.mend')}</Link>;
}

function Why({ row: { access, rule_name }, t }: { row: ResourceAccess; t: TFunction }) {
  const decided = (rule: number | null | undefined) => (rule == null ? t('access.because.otherwise') : t('access.because.rule', { number: rule + 1, name: rule_name || t('access.unnamed') }));
  if (access.answer === 'open') return <>{decided(access.decision.rule)}</>;
  if (access.answer === 'maintenance') return <>{t('access.because.maintenance')} {access.inherited_from ? <Name kind="resource" id={access.inherited_from} /> : null}</>;
  const { because } = access;
  switch (because.reason) {
    case 'rule':
      return <>{decided(because.decision.rule)}</>;
    case 'folder_rule':
      return <>{t('access.because.folder')} <Name kind="resource" id={because.folder} />: {decided(because.decision.rule)}</>;
    case 'disabled':
      return <>{t('access.because.disabled')} {because.inherited_from ? <Name kind="resource" id={because.inherited_from} /> : null}</>;
    case 'other_site':
      return <>{t('access.because.other_site')}</>;
    case 'lost_folder':
      return <>{t('access.because.lost_folder')}</>;
  }
}
