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
  /** What the organisation sets for this client; null: everything is the user's own choice. */
  policy: ClientPolicy | null;
  /** The hours that hold for the user; null: any time. */
  hours: Hours | null;
  /** After this long without a hand at the portal it signs out; null: as the sign-in says. */
  sign_out_minutes: number | null;
}

export type Direction = 'none' | 'to_session' | 'from_session' | 'both';
export type ClipboardKind = 'text' | 'html' | 'images' | 'files' | 'others';

/** What a policy enforces. An absent group is left to the user. */
export interface PolicySettings {
  display?: { full_screen: boolean; follow_window: boolean; scale_percent: number | null };
  clipboard?: { direction: Direction; kinds: ClipboardKind[]; max_kib: number | null };
  drives?: { direction: Direction };
  printing?: { printers: boolean };
  audio?: { playback: boolean; recording: boolean };
  keyboard?: { layout: string | null; system_keys: boolean };
  connection?: { reconnect: boolean; reconnect_minutes: number; prelaunch: 'off' | 'basic'; max_minutes: number | null };
  network?: { quality: 'automatic' | 'slow' | 'fast'; max_kbits: number | null };
  options?: { toolbar: boolean; session_list: boolean; sign_out_minutes: number | null };
  /** What the launch's routes come from. */
  redirection?: { routes: unknown[] };
}

export interface ClientPolicy {
  /** Shown beside what it locks. */
  name: string;
  settings: PolicySettings;
}

/** How the user stands to the logon hours. Times are RFC 3339. */
export interface Hours {
  is_open: boolean;
  /** Until when that is so; null: for weeks. */
  until: string | null;
  /** From when on the user is warned of the end; null: not. */
  warn_at: string | null;
  /** Until when the user may put off the end; null: they may not. */
  may_extend_until: string | null;
  /** Whether what may be opened is listed now. */
  shows_list: boolean;
  /** Whether sessions are disconnected at the end. */
  disconnects: boolean;
  /** What is to be read outside the hours; may be empty. */
  message: string;
}

export type ResourceKind =
  | 'folder'
  | 'desktop'
  | 'application'
  | 'document'
  | 'web_application'
  | 'network_folder'
  | 'local_application';

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
  /** A web application that opens in the user's own browser, and where it is; null: in a session. */
  url: string | null;
  /** Whether it opens by itself when the user signs in. */
  start_at_sign_in: boolean;
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

/** What this client says of itself; rules may depend on it. */
export interface ClientIs {
  /** The device's name, if the user gave it one, else the browser's. */
  name: string;
  kind: 'browser';
  operating_system: OperatingSystem;
  version: string;
}

export interface SignInRequest {
  user_name: string;
  password: string;
  /** IANA name of the device's time zone, as in Europe/Berlin. */
  time_zone: string;
  client: ClientIs;
}

export interface ClientFacts extends ClientIs {
  /** Desktop size in pixels. */
  width: number;
  height: number;
  /** Windows layout id, for example 0x407 for German. */
  keyboard_layout: number;
}

export interface LaunchRequest {
  resource_id?: string;
  session_id?: string;
  time_zone: string;
  client: ClientFacts;
}

export interface Channels {
  clipboard: boolean;
  drives: boolean;
  audio: boolean;
  microphone: boolean;
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
  /** What holds in this session; null: everything is the user's own choice. */
  policy: ClientPolicy | null;
  /** How large the desktop is. */
  size: DesktopSize;
  /** Addresses (`host` or `host:port`) of gateways to try first, in this order. */
  routes: string[];
}

/** What opens on the user's own device: a page, or a program that only an installed client can start. */
export interface DeviceLaunch {
  resource_id: string;
  resource_name: string;
  url?: string;
}

export type DesktopSize = { as: 'client' } | { as: 'full_screen' } | { as: 'fixed'; width: number; height: number };

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
  /** The hours in which the farm is open to the user are over. */
  | 'outside_hours'
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
  /** The farm is closed to the user now; `opens_at` says when that changes. */
  | 'outside_hours'
  /** This client, or its version, is not let in; the message says whom to ask. */
  | 'client_not_allowed'
  /** As many as may use it do so already; the message says whom to ask. */
  | 'limit_reached'
  /** Only an installed client, or another system, can open it. */
  | 'not_for_this_client'
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
