import { post, type HostView, type LogonMode } from '@oriel/api/management';
import { IconDroplet, IconPlayerPlay, IconPlayerStop, IconPower, IconRefresh, type Icon } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { BulkAction } from '../list/Bulk.tsx';

const MODES: readonly [LogonMode, Icon][] = [['enabled', IconPlayerPlay], ['drain', IconDroplet], ['disabled', IconPlayerStop]];

/** Whether hosts take new logons: what can be done with one or many. */
export function useHostActions(): BulkAction<HostView>[] {
  const { t } = useTranslation();
  return MODES.map(([mode, icon]) => ({
    key: mode, label: t(`host.do.${mode}`), icon, danger: mode === 'disabled',
    ask: { title: t(`host.do.${mode}`), text: t(`host.ask.${mode}`) },
    run: (host) => post(`/hosts/${host.id}/logon-mode`, { logon_mode: mode }),
  }));
}

/** Its machine: restarted or stopped at once. Who does it is told that its sessions end. */
export function useMachineActions(): BulkAction<HostView>[] {
  const { t } = useTranslation();
  return ([['restart', IconRefresh], ['stop', IconPower]] as const).map(([verb, icon]) => ({
    key: verb, label: t(`host.do.${verb}`), icon, danger: true,
    ask: { title: t(`host.do.${verb}`), text: t(`host.ask.${verb}`) },
    run: (host) => post(`/hosts/${host.id}/${verb}`, { with_sessions: true }),
  }));
}
