import { Button } from '@mantine/core';
import type { HostView } from '@oriel/api/management';
import { useState } from 'react';
import { Act, type BulkAction } from '../list/Bulk.tsx';
import { useHostActions } from './actions.tsx';

/** What fits the host's logon mode as it is. */
export default function HostButtons({ host }: { host: HostView }) {
  const actions = useHostActions().filter(({ key }) => key !== (host.spec.logon_mode ?? 'enabled'));
  const [asked, setAsked] = useState<BulkAction<HostView> | null>(null);
  return (
    <>
      {actions.map((action) => (
        <Button key={action.key} variant="default" leftSection={<action.icon size={18} aria-hidden />} onClick={() => setAsked(action)} data-testid={`do-${action.key}`}>{action.label}</Button>
      ))}
      {asked !== null && <Act action={asked} rows={[host]} nameOf={({ name }) => name} path="hosts" close={() => setAsked(null)} />}
    </>
  );
}
