/** The kinds of settings objects as the pages show them. What can be done with each, the broker says (`/kinds`). */
import type { Area, Kind } from '@oriel/api/management';
import {
  IconAddressBook, IconBell, IconBroadcast, IconBuildingCommunity, IconBuildingSkyscraper, IconCalendarEvent, IconClockHour4, IconKey, IconMail, IconRouteSquare,
  IconServer, IconServer2, IconShieldCheck, IconUser, IconUserShield, IconUsersGroup, IconAppWindow, type Icon,
} from '@tabler/icons-react';

export interface KindFacts {
  kind: Kind;
  /** As in addresses: of the API and of pages. */
  plural: string;
  area: Area;
  icon: Icon;
}

export const KINDS: readonly KindFacts[] = [
  { kind: 'host', plural: 'hosts', area: 'hosts', icon: IconServer },
  { kind: 'pool', plural: 'pools', area: 'hosts', icon: IconServer2 },
  { kind: 'schedule', plural: 'schedules', area: 'hosts', icon: IconCalendarEvent },
  { kind: 'resource', plural: 'resources', area: 'publishing', icon: IconAppWindow },
  { kind: 'policy', plural: 'policies', area: 'publishing', icon: IconShieldCheck },
  { kind: 'logon_hours', plural: 'logon_hours', area: 'publishing', icon: IconClockHour4 },
  { kind: 'directory', plural: 'directories', area: 'directory', icon: IconAddressBook },
  { kind: 'user', plural: 'users', area: 'directory', icon: IconUser },
  { kind: 'group', plural: 'groups', area: 'directory', icon: IconUsersGroup },
  { kind: 'farm', plural: 'farms', area: 'infrastructure', icon: IconBuildingSkyscraper },
  { kind: 'site', plural: 'sites', area: 'infrastructure', icon: IconBuildingCommunity },
  { kind: 'gateway', plural: 'gateways', area: 'infrastructure', icon: IconRouteSquare },
  { kind: 'broker', plural: 'brokers', area: 'infrastructure', icon: IconBroadcast },
  { kind: 'invitation', plural: 'invitations', area: 'infrastructure', icon: IconMail },
  { kind: 'notification', plural: 'notifications', area: 'infrastructure', icon: IconBell },
  { kind: 'administrator', plural: 'administrators', area: 'administrators', icon: IconUserShield },
  { kind: 'token', plural: 'tokens', area: 'administrators', icon: IconKey },
];

export const byPlural = (plural: string): KindFacts | undefined => KINDS.find((each) => each.plural === plural);
export const byKind = (kind: string): KindFacts | undefined => KINDS.find((each) => each.kind === kind);
export const pluralOf = (kind: string): string => byKind(kind)?.plural ?? kind;

/** Where an object of the kind is shown. */
export const pageOf = (kind: string, id: string): string => `/${pluralOf(kind)}/${id}`;
