import { DataList, Paper } from '@mantine/core';
import type { GatewayView } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import type { Shown } from '../queries.ts';
import { Ago } from '../ui/Ago.tsx';
import { percent } from '../ui/time.ts';

export default function GatewayState({ object }: { object: Shown }) {
  const { t, i18n } = useTranslation();
  const { state } = object as unknown as GatewayView;
  const facts: [string, React.ReactNode][] = [
    [t('host.state'), t(state.reachable ? (state.draining ? 'gateway.draining' : 'gateway.connected') : 'gateway.away')],
    [t('gateway.connections'), state.connections],
    [t('host.gauge.cpu'), state.cpu_load == null ? t('value.none') : percent(state.cpu_load, i18n.language)],
    [t('gateway.version'), state.version ?? t('value.none')],
    [t('host.machine'), state.machine_name ?? t('value.none')],
    [t('host.report'), state.last_report ? <Ago when={state.last_report} /> : t('value.none')],
  ];
  return (
    <Paper withBorder p="md" className="card">
      <DataList withDivider labelWidth="min(240px, 40%)" className="values">
        {facts.map(([label, value]) => (
          <DataList.Item key={label}>
            <DataList.ItemLabel>{label}</DataList.ItemLabel>
            <DataList.ItemValue>{value}</DataList.ItemValue>
          </DataList.Item>
        ))}
      </DataList>
    </Paper>
  );
}
