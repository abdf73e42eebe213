/** What some kinds show beside their settings. */
import type { Area } from '@oriel/api/management';
import { lazy, type ComponentType } from 'react';
import type { Shown } from '../queries.ts';

interface PanelFacts {
  /** Also the word for it: `panel.…`. */
  key: string;
  area: Area;
  Panel: ComponentType<{ object: Shown }>;
}

const HostState = lazy(() => import('../hosts/HostState.tsx'));
const Programs = lazy(() => import('../hosts/Programs.tsx'));
/** Sessions of a host, a pool, a user or a resource. */
const sessionsBy = (field: 'host' | 'pool' | 'user' | 'resource') =>
  lazy(async () => {
    const { SessionList } = await import('../sessions/SessionList.tsx');
    return { default: ({ object }: { object: Shown }) => <SessionList within query={{ [field]: object.id }} /> };
  });
const HostSessions = sessionsBy('host');
const PoolSessions = sessionsBy('pool');
const UserSessions = sessionsBy('user');
const ResourceSessions = sessionsBy('resource');
const Members = lazy(() => import('../hosts/Members.tsx'));
const PoolState = lazy(() => import('../hosts/PoolState.tsx'));
const PoolHosts = lazy(() => import('../hosts/PoolHosts.tsx'));
const UserAccess = lazy(() => import('../publishing/UserAccess.tsx'));
const Runs = lazy(() => import('../hosts/Runs.tsx'));
const NotificationState = lazy(() => import('../notifications/State.tsx'));
const BrokerState = lazy(() => import('../hosts/BrokerState.tsx'));
const DirectoryState = lazy(() => import('../directories/State.tsx'));
const GatewayState = lazy(() => import('../hosts/GatewayState.tsx'));

const PANELS: Record<string, PanelFacts[]> = {
  host: [
    { key: 'state', area: 'hosts', Panel: HostState },
    { key: 'sessions', area: 'sessions', Panel: HostSessions },
    { key: 'programs', area: 'hosts', Panel: Programs },
  ],
  broker: [{ key: 'state', area: 'infrastructure', Panel: BrokerState }],
  gateway: [{ key: 'state', area: 'infrastructure', Panel: GatewayState }],
  directory: [{ key: 'state', area: 'directory', Panel: DirectoryState }],
  notification: [{ key: 'state', area: 'infrastructure', Panel: NotificationState }],
  schedule: [{ key: 'runs', area: 'hosts', Panel: Runs }],
  pool: [
    { key: 'state', area: 'hosts', Panel: PoolState },
    { key: 'hosts', area: 'hosts', Panel: PoolHosts },
    { key: 'sessions', area: 'sessions', Panel: PoolSessions },
  ],
  user: [
    { key: 'access', area: 'publishing', Panel: UserAccess },
    { key: 'sessions', area: 'sessions', Panel: UserSessions },
  ],
  group: [{ key: 'members', area: 'directory', Panel: Members }],
  resource: [{ key: 'sessions', area: 'sessions', Panel: ResourceSessions }],
};

export const panelsOf = (kind: string): PanelFacts[] => PANELS[kind] ?? [];
