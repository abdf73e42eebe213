/** The pages that the navigation and the search lead to, each with the area that it belongs to. */
import type { Area } from '@oriel/api/management';
import {
  IconCalendarStats, IconCertificate, IconDatabaseExport, IconDeviceDesktop, IconEyeCheck, IconGauge, IconHistory, IconMailCog, IconRocket, IconSitemap, IconUserCheck, type Icon,
} from '@tabler/icons-react';
import { byPlural } from '../kinds.ts';

export interface Place {
  to: string;
  /** The key of its name. */
  name: string;
  icon: Icon;
  /** Where the pages of its objects are, if elsewhere. */
  also?: string;
  /** null: everybody's. */
  area: Area | null;
}

export interface PlaceGroup {
  /** The key of its name; none: it stands for itself. */
  name: string | null;
  places: Place[];
}

const ofKind = (plural: string): Place => {
  const facts = byPlural(plural);
  if (!facts) throw new Error(`no kind is called ${plural}`);
  return { to: `/${plural}`, name: `kinds.${facts.kind}.many`, icon: facts.icon, area: facts.area };
};

export const PLACES: readonly PlaceGroup[] = [
  {
    name: null,
    places: [
      { to: '/', name: 'nav.dashboard', icon: IconGauge, area: null },
      { to: '/sessions', name: 'nav.sessions', icon: IconDeviceDesktop, area: 'sessions' },
    ],
  },
  {
    name: 'nav.group.hosts',
    places: [ofKind('hosts'), ofKind('pools'), ofKind('schedules'), { to: '/calendar', name: 'nav.calendar', icon: IconCalendarStats, area: 'hosts' }],
  },
  {
    name: 'nav.group.publishing',
    places: [
      { to: '/publishing', name: 'nav.publishing', icon: IconSitemap, area: 'publishing', also: '/resources' },
      ofKind('policies'),
      ofKind('logon_hours'),
      { to: '/access', name: 'nav.access', icon: IconEyeCheck, area: 'publishing' },
    ],
  },
  { name: 'nav.group.directory', places: [ofKind('users'), ofKind('groups'), ofKind('directories')] },
  {
    name: 'nav.group.farm',
    places: [
      { ...ofKind('farms'), name: 'nav.farm_settings' }, ofKind('sites'), ofKind('gateways'), ofKind('brokers'), ofKind('invitations'), ofKind('notifications'),
      { to: '/certificates', name: 'nav.certificates', icon: IconCertificate, area: 'infrastructure' },
      { to: '/mailbox', name: 'nav.mailbox', icon: IconMailCog, area: 'infrastructure' },
      { to: '/backups', name: 'nav.backups', icon: IconDatabaseExport, area: 'infrastructure' },
    ],
  },
  {
    name: 'nav.group.administration',
    places: [ofKind('administrators'), { to: '/signed-in', name: 'nav.signed_in', icon: IconUserCheck, area: 'administrators' }, ofKind('tokens'), { to: '/audit', name: 'nav.audit', icon: IconHistory, area: 'audit' }],
  },
];

/** Not in the navigation: found by the search. */
export const ACTIONS: readonly (Place & { verb: 'add' | 'view' })[] = [
  { to: '/start', name: 'nav.start', icon: IconRocket, area: 'publishing', verb: 'add' },
  { to: '/hosts/add', name: 'action.add_host', icon: IconRocket, area: 'infrastructure', verb: 'add' },
  { to: '/publishing/add', name: 'action.publish', icon: IconRocket, area: 'publishing', verb: 'add' },
  ...(['pools', 'users', 'groups', 'directories', 'policies', 'logon_hours', 'schedules', 'sites', 'notifications', 'administrators', 'tokens'] as const).map((plural) => ({
    ...ofKind(plural), to: `/${plural}/new`, name: `kinds.${byPlural(plural)?.kind}.add`, verb: 'add' as const,
  })),
];
