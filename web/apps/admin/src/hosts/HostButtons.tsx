import { Button, Menu } from '@mantine/core';
import { get, type HostView, type SessionView } from '@oriel/api/management';
import { IconChevronDown, IconMessage } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Act, type BulkAction } from '../list/Bulk.tsx';
import type { Page } from '../queries.ts';
import { useSessionActions } from '../sessions/actions.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { notify, notifyFailure } from '../ui/notify.ts';
import { useHostActions, useMachineActions } from './actions.tsx';

/** More sessions than a host may have. */
const SESSIONS = 1000;

/** What fits the host's logon mode as it is; less often, its machine and everybody on it. */
export default function HostButtons({ host }: { host: HostView }) {
  const { t } = useTranslation();
  const may = useMay();
  const actions = useHostActions().filter(({ key }) => key !== (host.spec.logon_mode ?? 'enabled'));
  const machine = useMachineActions();
  const message = useSessionActions().find(({ key }) => key === 'message');
  const [asked, setAsked] = useState<BulkAction<HostView> | null>(null);
  const [readers, setReaders] = useState<SessionView[] | null>(null);

  const write = async () => {
    const { items } = await get<Page<SessionView>>('/sessions', { host: host.id, filter: 'state:active', limit: SESSIONS });
    if (items.length === 0) notify({ tone: 'good', title: t('host.nobody', { name: host.name }) });
    else setReaders(items);
  };
  return (
    <>
      {actions.map((action) => (
        <Button key={action.key} variant="default" leftSection={<action.icon size={18} aria-hidden />} onClick={() => setAsked(action)} data-testid={`do-${action.key}`}>{action.label}</Button>
      ))}
      <Menu position="bottom-end">
        <Menu.Target><Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />} data-testid="do-more">{t('host.more')}</Button></Menu.Target>
        <Menu.Dropdown>
          {may('sessions', 'control') && (
            <Menu.Item leftSection={<IconMessage size={18} aria-hidden />} onClick={() => void write().catch((error: unknown) => notifyFailure(error, t))} data-testid="do-message">{t('host.do.message')}</Menu.Item>
          )}
          {machine.map((action) => (
            <Menu.Item key={action.key} color="red" disabled={!host.state.reachable} leftSection={<action.icon size={18} aria-hidden />} onClick={() => setAsked(action)} data-testid={`do-${action.key}`}>{action.label}</Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {asked !== null && <Act action={asked} rows={[host]} nameOf={({ name }) => name} path="hosts" close={() => setAsked(null)} />}
      {readers !== null && message && (
        <Act action={message} rows={readers} nameOf={({ user_name, resource_name }) => [user_name, resource_name].filter(Boolean).join(', ')} path="sessions" close={() => setReaders(null)} />
      )}
    </>
  );
}
