/**
 * The shapes of the portal API, version 1, as the broker sends them. Only what the wire carries:
 * nothing here is computed by the page.
 */

export interface User {
  id: string;
  name: string;
  full_name: string;
}

export interface Me {
  user: User;
  farm_name: string;
  /** RFC 3339. */
  sign_in_expires_at: string;
}

export type ResourceKind = 'folder' | 'desktop' | 'application';

/** A published resource that this user may see. */
export interface Resource {
  id: string;
  name: string;
  description: string;
  kind: ResourceKind;
  /** The folder that holds it; null at the top. */
  folder: string | null;
  order: number;
  icon_url: string | null;
  status: 'enabled' | 'maintenance';
  maintenance_message: string | null;
}

export interface ResourceList {
  resources: Resource[];
  favourites: string[];
  recent: { id: string; at: string }[];
}

export type OperatingSystem =
  | 'windows'
  | 'mac_os'
  | 'linux'
  | 'chrome_os'
  | 'android'
  | 'ios'
  | 'other';

export interface ClientFacts {
  name: string;
  /** Desktop size in pixels. */
  width: number;
  height: number;
  /** Windows layout id, for example 0x407 for German. */
  keyboard_layout: number;
  operating_system: OperatingSystem;
  version: string;
}

export interface LaunchRequest {
  resource_id?: string;
  session_id?: string;
  client: ClientFacts;
}

export interface Channels {
  clipboard: boolean;
  drives: boolean;
  audio: boolean;
  printers: boolean;
}

/** A confirmed place on a host, and the one-time ticket that connects to it. */
export interface Launch {
  connection_id: string;
  session_id: string;
  resource_id: string;
  resource_name: string;
  icon_url: string | null;
  host_name: string;
  reconnected: boolean;
  ticket: string;
  ticket_expires_at: string;
  channels: Channels;
  /** Whether the host follows a new window size by itself. */
  dynamic_resize: boolean;
}

export interface RunningSession {
  id: string;
  resource_id: string;
  resource_name: string;
  icon_url: string | null;
  host_name: string;
  /** `ending`: told to end, and its programs have not yet. */
  state: 'prepared' | 'active' | 'disconnected' | 'ending';
  started_at: string;
  idle_secs: number;
  programs: string[];
  shared: boolean;
  desktop: boolean;
}

/** Why a session ended, or a connection to it; the words of the session model. */
export type EndReason =
  | 'logged_off'
  | 'disconnected'
  | 'taken_over'
  | 'idle'
  | 'logged_off_by_request'
  | 'disconnected_by_request'
  | 'reset'
  | 'disconnected_too_long'
  | 'logon_refused'
  | 'not_ready'
  | 'limit_reached'
  | 'right_withdrawn'
  | 'host_failed'
  | 'host_lost'
  | 'gateway_closing'
  | 'network_lost';

export interface ConnectionEnd {
  ended: boolean;
  /** null while the end is not known. A newer broker may know reasons that this page does not. */
  reason: EndReason | (string & {}) | null;
  message: string;
  session_running: boolean;
}

export type ProblemCode =
  | 'sign_in_refused'
  | 'signed_out'
  | 'not_found'
  | 'in_maintenance'
  | 'no_host'
  | 'host_refused'
  | 'session_gone'
  /** The last session of the resource is ending; one asks again. */
  | 'session_ending'
  | 'farm_starting'
  | 'busy'
  | 'csrf'
  | 'bad_request'
  | 'internal'
  /** Made by this client: the gateway could not be reached. */
  | 'unreachable';

export interface Mistake {
  field: string;
  message: string;
}
