import { ColorSwatch, Group, Paper, Progress, Table, Text, Title } from '@mantine/core';
import type { LogonSteps } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { millis } from '../ui/time.ts';

const STEPS = [
  ['brokering', 'violet.6'],
  ['prepare', 'blue.6'],
  ['connect', 'cyan.6'],
  ['host_logon', 'orange.6'],
  ['first_picture', 'teal.6'],
] as const;

/** How long the user waited for the session, step by step: the table says it, the bar above only shows it. */
export function Logon({ logon }: { logon: LogonSteps | null }) {
  const { t, i18n } = useTranslation();
  const took = (step: (typeof STEPS)[number][0]) => logon?.[`${step}_ms`] ?? null;
  const all = STEPS.reduce((sum, [step]) => sum + (took(step) ?? 0), 0);
  const isOver = logon?.total_ms != null;
  return (
    <Paper withBorder p="md" className="card" data-testid="logon">
      <Title order={2} size="h4" mb="sm">{t('session.logon.title')}</Title>
      {logon === null ? <Text size="sm" c="dimmed">{t('session.logon.none')}</Text> : (
        <>
          <Progress.Root size={12} aria-hidden mb="xs">
            {STEPS.map(([step, colour]) => <Progress.Section key={step} value={all === 0 ? 0 : ((took(step) ?? 0) / all) * 100} color={colour} withAria={false} />)}
          </Progress.Root>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('session.logon.step')}</Table.Th>
                <Table.Th ta="right">{t('session.logon.time')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {STEPS.map(([step, colour]) => {
                const time = took(step);
                const reached = step === 'connect' ? logon.host_reached_ms : null;
                return (
                  <Table.Tr key={step} data-testid={`step-${step}`}>
                    <Table.Td>
                      <Group gap="xs" wrap="nowrap" align="start">
                        <ColorSwatch color={`var(--mantine-color-${colour.replace('.', '-')})`} size={10} mt={6} withShadow={false} aria-hidden />
                        <div>
                          {t(`session.logon.${step}`)}
                          <Text size="xs" c="dimmed">
                            {t(`session.logon.about.${step}`)}
                            {reached != null && `. ${t('session.logon.reached', { time: millis(reached, i18n.language) })}`}
                          </Text>
                        </div>
                      </Group>
                    </Table.Td>
                    <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
                      {time === null ? <Text span size="sm" c="dimmed">{t(isOver ? 'session.logon.unknown' : 'session.logon.not_yet')}</Text> : millis(time, i18n.language)}
                    </Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
            <Table.Tfoot>
              <Table.Tr>
                <Table.Th>{t('session.logon.total')}</Table.Th>
                <Table.Th ta="right" data-testid="logon-total">{isOver ? millis(logon.total_ms ?? 0, i18n.language) : '–'}</Table.Th>
              </Table.Tr>
            </Table.Tfoot>
          </Table>
        </>
      )}
    </Paper>
  );
}
