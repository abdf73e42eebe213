// Generated from docs/openapi.json by `npm run generate`. Not to be edited.

/** How a resource looks to somebody, and why. */
export type Access = ({
answer: "open";
/** The rule that decided. */
decision: Decision;
} | {
answer: "maintenance";
/** The rule that decided that it is seen. */
decision: Decision;
/** The folder whose maintenance it inherits; none: its own. */
inherited_from?: (string | null);
/** For the user. */
message: string;
} | {
answer: "hidden";
/** Why not. */
because: Hidden;
});

/** Whose access to explain. */
export type AccessToExplain = {
/** The moment to explain for; absent: that of the facts, else now. */
at?: (string | null);
/** The device, and the way they come by. What is left out counts as not known. */
facts?: Device;
/** Whose. */
user: string;
};

/** Where the operating system's accounts of users come from. */
export type AccountMode = ("existing" | "create");

/** What is done in an area. */
export type Action = ("view" | "modify" | "add" | "delete" | "control");

/** What was done. */
export type Action2 = ("created" | "changed" | "deleted" | "secret_set" | "secret_removed");

/** How administrators sign in to the management portal. */
export type AdministrationSettings = {
/** A sign-in that is not used this long ends, in minutes; null: only with its lifetime. */
idle_minutes?: (number | null);
/** How long one sign-in lasts at most, in hours. */
lifetime_hours?: number;
/** Whether administrators show a code of their authenticator beside their password. */
second_factor?: SecondFactor;
};

/** A user, or every member of a group, who may manage the farm. They sign in to the management portal as that user. Whoever is one in several ways may do what any of them allows. */
export type Administrator = {
/** For other administrators. */
description?: string;
/** Where mail for them goes. Not for groups. */
email?: (string | null);
/** A disabled administrator may do nothing. */
enabled?: boolean;
/** Their telephone, for other administrators. Not for groups. */
mobile?: (string | null);
/** Whether they get the farm's notifications by mail. */
notified?: boolean;
/** How far the role reaches. */
reach?: Reach;
/** What they may do. */
role: AdministratorRole;
/** Whom it is about. */
who: Who;
};

/** What an administrator, or a token, may do at all. How far that goes, [`Reach`] says. */
export type AdministratorRole = ("root" | "power" | "custom" | "viewer" | "help_desk");

/** A sign-in of an administrator. */
export type AdministratorSession = {
/** When they last did something. */
active_at: string;
/** Where from, last. */
address?: (string | null);
/** What the browser says of itself. */
browser: string;
/** Its id. */
id: string;
/** Whether it is the caller's own. */
own: boolean;
/** Since when. */
since: string;
/** Whose. */
user: string;
/** The user's name. */
user_name: string;
};

/** Sign-ins of administrators on this broker. */
export type AdministratorSessions = {
/** The newest first. */
items: (AdministratorSession)[];
};

/** What a [`View`] writes. */
export type AdministratorView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Administrator;
};

/** What a client may do. */
export type Admission = {
/** The entry of the list that lets it in; none: no list is asked, or none does. */
entry?: (number | null);
/** See resources and open them. */
may_open: boolean;
/** Sign in. */
may_sign_in: boolean;
/** Why it may not do all, for its user. */
message?: (string | null);
};

/** Whom an administrator chooses. */
export type Adopt = {
/** What it is in the directory: `external` of what was found. */
external: string;
/** A person or a group. */
kind: Sought;
};

/** The object that stands for whom an administrator chose. */
export type Adopted = {
/** Its id. */
id: string;
/** `user` or `group`. */
kind: Kind;
/** Its name. */
name: string;
};

/** Which clients are let in. */
export type AllowedClients = {
/** Those that are let in, each from a version on. */
clients?: (ClientKindMatch)[];
/** What users of other clients read; empty: a sentence of the product's. */
message?: string;
/** How strictly. */
mode?: ClientMode;
};

/** What is sent to apply documents. */
export type Apply = {
/** What objects shall be. They may refer to each other in any order. */
documents: (Document)[];
/** Only says what would be done. */
dry_run?: boolean;
/** The `sequence` of a plan that was looked at: refused if an object that is touched was changed after. */
sequence?: (number | null);
};

/** Which programs are wanted. */
export type AppsQuery = {
/** Only the program with this id. */
app?: (string | null);
/** Whether icons are wanted too; they make the answer large. */
icons?: boolean;
/** Languages of the names, most wanted first, separated by commas: `de,en`. */
language?: (string | null);
};

/** A whole farm. */
export type Archive = {
/** `oriel-export/1`. */
format: string;
/** Every settings object, with its id. */
documents: (Document)[];
/** The farm that was exported. */
farm: ArchivedFarm;
/** Whether the farm's own keys are among the secrets: with them the farm can be restored as itself, and whoever opens them can make certificates that it trusts. */
farm_keys?: boolean;
/** The icons of resources: PNG in base64, by the SHA-256 of their bytes. */
icons?: Record<string, string>;
/** When it was exported. */
made_at: string;
/** Password hashes, other secrets of objects, and the fields that only the farm itself sets. */
secrets?: (Sealed | null);
};

/** Which farm an archive is of. */
export type ArchivedFarm = {
/** Its id. */
id: string;
/** Its name. */
name: string;
};

/** The area that an operation belongs to. */
export type Area = ("infrastructure" | "hosts" | "publishing" | "directory" | "sessions" | "administrators" | "audit");

/** What happens to the sessions of a host that a schedule disables. */
export type AtDisable = ("keep" | "disconnect" | "log_off" | "reset");

/** What happens at the limit of concurrent uses. */
export type AtLimit = ("refuse" | "note");

/** What wants attention, of what the caller may see. */
export type Attention = {
/** Gateways of another version than this broker. */
gateways_of_other_version: Concerned;
/** Session hosts whose agent is of another version than this broker. */
hosts_of_other_version: Concerned;
/** Events of the last 24 hours that could not be written into the log; null for who may not see it. */
log_lost?: (number | null);
/** Notifications whose latest message could not be sent. */
notifications_not_sent: Concerned;
/** Resources that as many use as may at a time. */
resources_full: Concerned;
/** Schedules that gave up some host at their latest time. */
schedules_given_up: Concerned;
};

/** Sound. The gateway enforces it, whatever the client does. */
export type Audio = {
/** The session's sound on the user's device. */
playback?: boolean;
/** The user's microphone in the session. */
recording?: boolean;
};

/** Which entries are wanted. */
export type AuditQuery = {
/** Only entries after the one with this number, oldest first: to follow or to export the log. */
after?: (number | null);
/** Only entries before the one with this number, newest first: `next` of the previous answer. */
before?: (number | null);
/** Only by authors in whose name this stands, such as `token admin`. */
by?: (string | null);
/** Only with this code, such as `session.launched`, or with codes that begin with this word: `session`. */
code?: (string | null);
/** Only about something of this kind, such as `user` or `session`. */
kind?: (string | null);
/** Most entries of the answer: 1 to 1000; 100 when not said. */
limit?: (number | null);
/** Shows names in place of ids, in what was said and in what is different. */
names?: boolean;
/** Only about the object, session or connection with this id. */
object?: (string | null);
/** Only with this outcome. */
outcome?: (Outcome2 | null);
/** Only what happened then or later, as in `2026-12-01T08:00:00Z`. */
since?: (string | null);
/** Only where this stands in an author, an address, a name or a detail. */
text?: (string | null);
/** Only changes that were made together: the `transaction` of one of them. */
transaction?: (number | null);
/** Only what happened before. */
until?: (string | null);
/** Only what came in this way. */
via?: (Via | null);
};

/** How much of the log is kept. When the oldest entries are dropped, an entry says which. */
export type AuditSettings = {
/** How long entries are kept, in days. */
keep_days?: number;
/** How large the log may be, in MiB; when it is larger, the oldest go before their time. */
size_mib?: number;
/** Where entries are sent as they come; null: nowhere. */
syslog?: (Syslog | null);
};

/** Who makes a change. */
export type Author = {
/** The client's address, where there is one. */
address?: (string | null);
/** Readable: `token admin`, `user alice`, `system`. */
name: string;
/** How it came in. */
via: Via;
};

/** Backups of all settings, secrets included, sealed with a passphrase: the farm's secret `backup_passphrase`. The broker that holds the store writes them to the folder `backups` of its data directory. */
export type Backup = {
/** When, every day, by the clocks of `time_zone`. */
at?: string;
/** Whether any are made. */
enabled?: boolean;
/** Whether the farm's own keys are in them, so that `oriel broker restore` can make this farm anew on another machine, and gateways and hosts go on without joining again. Whoever has such a backup and its passphrase can make certificates that this farm trusts: keep the two apart. */
farm_keys?: boolean;
/** How many are kept; the oldest goes. */
keep?: number;
/** The time zone, as in `Europe/Berlin`. */
time_zone?: string;
};

/** A backup that could not be made. */
export type BackupFailure = {
/** When. */
at: string;
/** Why, as a sentence. */
why: string;
};

/** A backup that was made. */
export type BackupFile = {
/** Its size. */
bytes: number;
/** When it was made. */
made_at: string;
/** Its file's name. */
name: string;
};

/** The backups that are there. */
export type BackupList = {
/** Newest first. */
items: (BackupFile)[];
};

/** How backups are doing. */
export type BackupState = {
/** Whether they are made every day. */
enabled: boolean;
/** What went wrong with the last one; none: it was made. */
failure?: (BackupFailure | null);
/** The newest one. */
newest?: (BackupFile | null);
/** When the next one is due. */
next?: (string | null);
};

/** How sessions are spread over the hosts of a pool. An absent field inherits from the site's defaults. */
export type Balancing = {
/** A host whose agent was silent for so many seconds is taken for dead: nothing more is placed on it. */
agent_timeout_secs?: (number | null);
/** By load: count CPU in use. */
cpu?: (boolean | null);
/** Return a user to a disconnected session only from the address it was begun from. */
match_client_address?: (boolean | null);
/** By load: count memory in use. */
memory?: (boolean | null);
/** By load, or in turn. */
method?: (Method | null);
/** By load: count sessions against the limit. */
sessions?: (boolean | null);
};

/** A connection broker. */
export type Broker = {
/** For administrators. */
description?: string;
/** Where agents reach it, `host:port` (20003). */
agent_addresses?: (string)[];
/** Where gateways reach it, `host:port` (20002). */
gateway_addresses?: (string)[];
};

/** What a [`View`] writes. */
export type BrokerView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Broker;
};

/** An icon of the built-in set. */
export type BuiltInView = {
/** What it is for. */
about: string;
/** How a resource says that it has it: for `icon` of its spec. */
icon: string;
/** Its name. */
name: string;
};

/** The built-in icons. */
export type BuiltIns = {
/** By name. */
items: (BuiltInView)[];
};

/** The times of schedules. */
export type Calendar = {
/** The earliest first. */
items: (ScheduledTime)[];
/** All before this moment are there: what was asked for, or less where there are too many. */
until: string;
};

/** Which times of schedules are wanted. */
export type CalendarQuery = {
/** From this moment on, as in `2026-12-01T00:00:00Z`. */
from: string;
/** Before this moment, at most 70 days later. */
until: string;
};

/** A host that may take the session. */
export type Candidate = {
/** Which. */
host: string;
/** Sum of the counters that are on, each 0 to 1: less is better. 0 for round robin. */
load: number;
/** Its name. */
name: string;
};

/** A certificate, and how it stands now. */
export type CertificateState = {
/** Who made it. */
issuer: string;
/** The names and addresses that it is for. */
names: (string)[];
/** Until when it is valid. */
not_after: string;
/** From when it is valid. */
not_before: string;
/** Whether nobody but itself vouches for it: browsers warn of it. */
self_signed: boolean;
/** SHA-256 of it, in hexadecimal digits. */
sha256: string;
/** How it stands. */
standing: Standing;
/** Whose it is. */
subject: string;
};

/** What is wrong with the log. */
export type ChainFault = {
/** The entry. */
number: number;
/** What, as a sentence. */
what: string;
};

export type ChangePath = {
/** The change's number. */
sequence: number;
};

/** A change, and what is different field by field. */
export type ChangeShown = {
/** What was done. */
action: Action2;
/** What it says since; for `created` and `changed`. */
after?: (ObjectState | null);
/** When. */
at: string;
/** By whom. */
author: Author;
/** What the object said before; for `changed` and `deleted`. */
before?: (ObjectState | null);
/** What is different; nothing where a secret was changed. */
changes: (FieldChange)[];
/** Id of the object. */
id: string;
/** Kind of the object. */
kind: Kind;
/** Name of the object after the change, or before it was deleted. */
name: string;
/** The object's revision after the change; the last one when it was deleted. */
revision: number;
/** Name of the secret, where the change is about one. */
secret?: (string | null);
/** 1 for the first change of the store, one more with every change. */
sequence: number;
/** What was changed together has the same number here: the sequence of the first change of its transaction. */
transaction: number;
};

/** A field that others have changed. */
export type ChangedField = {
/** What it says now; null where it says nothing. */
after: unknown;
/** What it said at the revision that the change was based on; null where it said nothing. */
before: unknown;
/** When. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its path, such as `spec.description`. */
field: string;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Administrator = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Administrator;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Directory = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Directory;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Farm = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Farm;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Gateway = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Gateway;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Group = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Group;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Host = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Host;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_LogonHours = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: LogonHours;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Notification = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Notification;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Policy = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Policy;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Pool = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Pool;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Resource = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Resource;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Schedule = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Schedule;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_Site = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: Site;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_TokenSettings = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: TokenSettings;
};

/** What an administrator sends to change an object: all of it, as it shall be. */
export type Changed_for_User = {
/** Its name. */
name: string;
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
/** The site it belongs to. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. */
spec: User;
};

/** One page of the change log, newest first. */
export type Changes = {
/** The changes. The log holds no secrets; what is kept of one is left out here, too. */
items: (ChangeShown)[];
/** Pass it as `before` for the next page; none on the last. */
next?: (number | null);
};

/** Which changes are wanted. */
export type ChangesQuery = {
/** Only changes before the one with this number: `next` of the previous answer. */
before?: (number | null);
/** Only changes by authors in whose name this stands, such as `token admin`. */
by?: (string | null);
/** Only changes of objects of this kind, such as `user`. */
kind?: (Kind | null);
/** Most changes of the answer: 1 to 1000; 100 when not said. */
limit?: (number | null);
/** Shows names in place of ids, in what was said and in what is different. */
names?: boolean;
/** Only changes of the object with this id. */
object?: (string | null);
/** Only changes made then or later, as in `2026-12-01T08:00:00Z`. */
since?: (string | null);
/** Only changes that were made together: the `transaction` of one of them. */
transaction?: (number | null);
/** Only changes made before. */
until?: (string | null);
};

/** Which virtual channels a connection may use. */
export type ChannelPolicy = {
/** The session's sound. */
audio: boolean;
/** Text and pictures to and from the user's clipboard. */
clipboard: boolean;
/** The user's drives. */
drives: boolean;
/** The user's microphone. */
microphone: boolean;
/** The user's printers. */
printers: boolean;
};

/** Kinds of client. */
export type ClientKind = ("browser" | "mstsc" | "windows_app" | "free_rdp" | "launcher" | "other");

/** A kind of client, with an optional smallest version. */
export type ClientKindMatch = {
/** The kind. */
kind: ClientKind;
/** Smallest version, dotted numbers such as `10.2`. */
minimum_version?: (string | null);
};

/** How strictly clients are chosen. */
export type ClientMode = ("any" | "listed_to_open" | "listed_to_sign_in");

/** What users may do in the portal and in the session page. */
export type ClientOptions = {
/** Whether users may log off and disconnect their sessions from the portal. */
session_list?: boolean;
/** Users who do nothing in the portal for so many minutes are signed out; absent: the farm's setting. */
sign_out_minutes?: (number | null);
/** Whether the session page has a toolbar. */
toolbar?: boolean;
};

/** Operating systems of users' devices. */
export type ClientOs = ("windows" | "mac_os" | "linux" | "chrome_os" | "android" | "ios" | "other");

/** The client of a session. */
export type ClientView = {
/** Its address. */
address: string;
/** What it connects with, such as `browser`. */
kind: string;
/** Name of the user's device. */
name: string;
/** The device's operating system. */
operating_system: string;
/** The client's version. */
version: string;
};

/** What passes the clipboard. The gateway enforces it, whatever the client asks. */
export type Clipboard = {
/** Which way. */
direction?: Direction;
/** What; empty: everything. */
kinds?: (ClipboardKind)[];
/** Largest content, in KiB; absent: no limit. */
max_kib?: (number | null);
};

/** What may be on a clipboard. */
export type ClipboardKind = ("text" | "html" | "images" | "files" | "others");

/** By whose clocks hours are read. */
export type Clock = ({
of: "user";
/** The time zone of devices that say none. */
otherwise?: string;
} | {
of: "zone";
/** The time zone. */
time_zone: string;
});

/** A code and what it means. */
export type Code = {
/** What kind of problem it is: the same for every answer with this code. */
title: string;
/** When it is given, and what to do about it. */
about: string;
/** The stable word for programs. */
code: string;
/** The statuses that it comes with. */
status: (number)[];
};

/** What an entry tells. Scripts and log collectors match on these words, so none is ever renamed. */
export type Code2 = ("settings.created" | "settings.changed" | "settings.deleted" | "settings.secret_set" | "settings.secret_removed" | "user.signed_in" | "user.sign_in_refused" | "user.signed_out" | "user.hours_extended" | "administrator.signed_in" | "administrator.sign_in_refused" | "administrator.signed_out" | "administrator.recovered" | "directory.answers" | "directory.out_of_reach" | "token.refused" | "session.launched" | "session.launch_refused" | "session.messaged" | "session.disconnected" | "session.logged_off" | "session.reset" | "session.process_ended" | "host.restarted" | "host.stopped" | "schedule.carried_out" | "component.joined" | "component.join_refused" | "notification.sent" | "notification.failed" | "backup.made" | "backup.failed" | "farm.exported" | "log.dropped" | "log.lost");

/** A code of an authenticator, or a recovery code. */
export type Code3 = {
/** The code. */
code: string;
};

export type CodePath = {
/** The code. */
code: string;
};

/** Somebody who is signed in to management: only who they are, for whoever may write to them. */
export type Colleague = {
/** Their name. */
full_name: string;
/** Their sign-ins, to write to. */
sessions: (string)[];
/** The user. */
user: string;
/** What they sign in with. */
user_name: string;
};

/** Who is signed in to management on this broker. */
export type ColleagueList = {
/** By name; the caller is among them. */
items: (Colleague)[];
};

/** A message from one administrator to another. */
export type ColleagueMessage = {
/** When it was written. */
at: string;
/** Who wrote it, as the change log names them: `user anna`. */
from: string;
/** Its id. */
id: string;
/** The sign-in to answer to; none where a token wrote it. */
session?: (string | null);
/** What it says. */
text: string;
};

/** The objects that something concerns. */
export type Concerned = {
/** How many. */
count: number;
/** The first three by name. */
first: (Named)[];
};

/** Connecting and connecting again. */
export type ConnectionSettings = {
/** How long one connection may last, in minutes; absent: as long as the user likes. */
max_minutes?: (number | null);
/** Whether a session is started at sign-in, before the user opens anything. */
prelaunch?: Prelaunch;
/** Whether a lost connection is taken up again by itself. */
reconnect?: boolean;
/** For how long that is tried, in minutes. */
reconnect_minutes?: number;
};

/** The connection of a session, as its gateway measures it every few seconds. */
export type ConnectionView = {
/** What has passed from the session to the client, in bytes. */
bytes_to_client: number;
/** What has passed from the client to the session, in bytes. */
bytes_to_host: number;
/** Its id. */
id: string;
/** What passes from the session to the client at present, in kbit/s. */
kbits_to_client: number;
/** What passes from the client to the session at present, in kbit/s. */
kbits_to_host: number;
/** When it was opened. */
opened_at: string;
/** Round trip between gateway and client, in milliseconds; none until the client has answered. */
round_trip_ms?: (number | null);
};

/** What is sent to copy sections of a site's settings. */
export type CopySections = {
/** Only says what would be done. */
dry_run?: boolean;
/** Whether they follow from now on: what this site says then holds there too, whenever it is changed. */
keep_in_step?: boolean;
/** Which sections; at least one. */
sections: (SiteSection)[];
/** The sites that get them; at least one. */
to: (string)[];
};

/** While the host is busy, the heaviest processes get a lower priority; when it is not, it is given back. */
export type CpuOptimisation = {
/** Above this CPU use of the whole host, in percent, it begins; below, every priority is given back. */
above_percent?: number;
/** How long a process must be above or below before anything is done, in seconds. */
after_secs?: number;
/** A process is lowered when it takes at least this share of the busiest process's CPU, in percent. */
critical_percent?: number;
/** Whether it is done. */
enabled?: boolean;
/** Programs that are left alone, by the name of their file. */
excluded?: (string)[];
/** A lowered process is given its priority back when it takes less than this share, in percent. */
idle_percent?: number;
};

/** Name and password. */
export type Credentials = {
/** A code of their authenticator, or a recovery code; wanted where the answer without is `code_needed`. */
code?: (string | null);
/** The user's name. */
name: string;
/** Their password. */
password: string;
};

/** A condition: one of the objects applies, or (negated) none of them does. */
export type Criterion = ({
type: "user";
objects: (string)[];
} | {
type: "group";
objects: (string)[];
} | {
type: "gateway";
objects: (string)[];
} | {
type: "theme";
objects: (string)[];
} | {
type: "client_name";
objects: (string)[];
} | {
type: "client_os";
objects: (ClientOs)[];
} | {
type: "client";
objects: (ClientKindMatch)[];
} | {
type: "address";
objects: (string)[];
} | {
type: "hardware_id";
objects: (string)[];
}) & {
/** True: *is not* one of. */
negated?: boolean;
};

/** A line that a number crosses. */
export type CrossedLine = {
/** Which way. */
direction: Direction2;
/** Whether it is in percent of the limit, of what has one. CPU, memory and disk always are. */
percent?: boolean;
/** Where it is. */
value: number;
};

/** How any list is cut. */
export type Cut = {
/** Go on after this: `next` of the previous answer. It stays right while objects come and go. */
after?: (string | null);
/** Says in `total` how many fit on all pages together, too. */
count?: boolean;
/** Only these fields of each object, as paths separated by commas; the id is always there. */
fields?: (string | null);
/** Only objects of which all of these hold, separated by commas: `path:value` (is), `path!:value` (is not), `path~:part` (contains); with `|` between them, one of them is enough. Paths are those of the shown JSON, such as `spec.enabled:false`; upper and lower case of values are the same; a value with a comma or a `|` goes into quotation marks. */
filter?: (string | null);
/** Most objects of the answer: 1 to 1000; 100 when not said. */
limit?: (number | null);
/** Paths to sort by, separated by commas; with `-` in front the largest comes first. */
sort?: (string | null);
};

/** A day of the week. */
export type Day = ("monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday");

/** What the rules said, and which of them. */
export type Decision = {
/** The answer. */
effect: Effect;
/** Index of the rule that decided; none: no rule matched and the default did. */
rule?: (number | null);
};

/** How large a desktop is. */
export type DesktopSize = ({
as: "client";
} | {
as: "full_screen";
} | {
as: "fixed";
/** Height in pixels. */
height: number;
/** Width in pixels. */
width: number;
});

/** A device, and the way its user comes by. */
export type Device = {
/** Its address. */
address?: (string | null);
/** The moment to explain for; absent: now. */
at?: (string | null);
/** Its client. */
client_kind?: (ClientKind | null);
/** Name of their device. */
client_name?: (string | null);
/** Its operating system. */
client_os?: (ClientOs | null);
/** The client's version. */
client_version?: (string | null);
/** The gateway they come through. */
gateway?: (string | null);
/** The hardware id that it reports. */
hardware_id?: (string | null);
/** The site they sign in to; absent: that of the gateway, else this broker's. */
site?: (string | null);
/** The theme they sign in at. */
theme?: (string | null);
/** Its time zone, as in `Europe/Berlin`. */
time_zone?: (string | null);
};

/** Which way something may pass between a user's device and a session. */
export type Direction = ("none" | "to_session" | "from_session" | "both");

/** Which way a line is crossed. */
export type Direction2 = ("rises_above" | "falls_below");

/** A directory of people elsewhere. The password of the account that looks things up is not here: it is a sealed secret beside the object. */
export type Directory = {
/** What is put behind people's accounts on session hosts, as in `.lab`, so that two people of one name in two directories have two accounts. */
account_suffix?: (string | null);
/** How long a server may take for an answer, in seconds. */
answer_timeout_secs?: number;
/** What an OpenLDAP directory calls things. Active Directory has names of its own. */
attributes?: DirectoryAttributes;
/** Below which entry people and groups are looked for, as in `DC=corp,DC=example`. */
base_dn: string;
/** The account that looks people and groups up: its distinguished name, or `name@domain`. Absent: the directory is asked with the name and password of whoever signs in, and only then. */
bind_name?: (string | null);
/** How long a connection to a server may take, in seconds. */
connect_timeout_secs?: number;
/** Its DNS domain, as in `corp.example`: what people write behind the @ of their name. */
domain: string;
/** Whether its people may sign in. */
enabled?: boolean;
/** What it is. */
kind: DirectoryKind;
/** How long it is taken as known to which groups somebody belongs, in seconds. */
membership_cache_secs?: number;
/** Its NetBIOS name, as in `CORP`: what people write before the backslash. */
netbios_name?: (string | null);
/** How long people who are signed in go on working while no server answers, in hours. */
offline_hours?: number;
/** Its servers, in the order in which they are asked: the next one when one does not answer. */
servers: (DirectoryServer)[];
/** Certificates of authorities (PEM) that the servers' certificates come from; absent: those that the broker's machine trusts. */
trusted_certificates?: (string | null);
/** What else may stand behind the @ of its people's names. */
upn_suffixes?: (string)[];
};

/** What an OpenLDAP directory calls things. */
export type DirectoryAttributes = {
/** A person's full name. */
full_name?: string;
/** Classes of the entries that are groups. */
group_classes?: (string)[];
/** A group's name. */
group_name?: string;
/** Below which entry groups are; absent: below the base. */
groups_dn?: (string | null);
/** What stays when an entry is renamed or moved. */
id?: string;
/** A person's mail address. */
mail?: string;
/** What holds the members of a group as names that they sign in with (RFC 2307); empty: nothing does. */
member_accounts?: string;
/** What holds the members of a group, as distinguished names. */
members?: (string)[];
/** Below which entry people are; absent: below the base. Without a service account, each person's entry is directly below it. */
people_dn?: (string | null);
/** Class of the entries that are people. */
user_class?: string;
/** What people sign in with. */
user_name?: string;
};

/** How each server of a directory answers. */
export type DirectoryCheck = {
/** The server that is asked now: the first that can be. Null: none can. */
answering?: (string | null);
/** Each, in the order in which they are asked. */
servers: (DirectoryServerState)[];
};

/** A person or a group of a directory. */
export type DirectoryEntry = {
/** The short name. */
account: string;
/** Where it is in the directory. */
dn: string;
/** What it is there: what choosing it needs. */
external: string;
/** The name for others to read. */
full_name?: (string | null);
/** The mail address. */
mail?: (string | null);
/** A person's whole name to sign in with; a group's name. */
name: string;
/** The object that stands for it here; null: nobody chose it yet. */
object?: (string | null);
};

/** What a directory is. */
export type DirectoryKind = ("active_directory" | "openldap");

/** Some of those that a directory has. */
export type DirectoryPage = {
/** Whether more match than are ever shown: type more letters. */
is_cut: boolean;
/** In the order of their accounts. */
items: (DirectoryEntry)[];
/** The cursor of the next page; null: this is the last. */
next?: (string | null);
};

/** How the way to a server of a directory is kept secret: no password goes there in the clear. */
export type DirectorySecurity = ("ldaps" | "starttls");

/** A server of a directory. */
export type DirectoryServer = {
/** Its name, which its certificate must be for, or its address. */
host: string;
/** Its port; absent: 636 for LDAPS, 389 for StartTLS. */
port?: (number | null);
/** How the way there is kept secret. */
security?: DirectorySecurity;
};

/** How a server answers. */
export type DirectoryServerState = {
/** What it calls itself. */
name?: (string | null);
/** Its name or address with the port. */
server: string;
/** How long connecting, signing in and asking took, in milliseconds. */
took_ms?: (number | null);
/** What is wrong, and what to do. */
why?: (string | null);
/** Whether it can be used. */
works: boolean;
};

/** How a directory stands. */
export type DirectoryStanding = ("unknown" | "answers" | "out_of_reach");

/** How a directory stood when this broker asked it last. */
export type DirectoryState = {
/** When; none: never. */
asked_at?: (string | null);
/** How. */
standing: DirectoryStanding;
/** Why it could not be asked. */
why?: (string | null);
};

/** What a [`View`] writes. */
export type DirectoryView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Whether the service account's password is set, for the account and the servers of now. */
has_password: boolean;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Directory;
/** How it stood when this broker asked it last. */
state: DirectoryState;
};

/** How a session looks on the user's screen. */
export type Display = {
/** Whether the session takes the size of its window; if not, it is scaled to fit. */
follow_window?: boolean;
/** Whether sessions open over the whole screen. */
full_screen?: boolean;
/** Enlargement of what is drawn, in percent; absent: that of the user's screen. */
scale_percent?: (number | null);
};

/** A settings object as text: with names in place of ids. */
export type Document = {
/** Deletes it; one that is not there is deleted already. */
delete?: boolean;
/** Its id: only in archives, so that what refers to it from outside the farm's settings still finds it. */
id?: (string | null);
/** What it is. */
kind: Kind;
/** Its name. */
name: string;
/** What it was called before; of no matter once it has its new name. */
renamed_from?: (string | null);
/** The name of the site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set, whole: what is left out inherits, or has its default. References are names. */
spec?: Record<string, unknown>;
};

/** The farm, or a part of it, as documents. */
export type Documents = {
/** In the order in which objects may refer to each other, then of their names. */
documents: (Document)[];
/** Number of the newest change of settings in them. */
sequence: number;
};

/** Which objects are wanted as documents. */
export type DocumentsQuery = {
/** Only objects of this kind, such as `pool`. */
kind?: (Kind | null);
/** Only objects of this site, and the site itself. */
site?: (string | null);
};

/** The user's drives and folders in the session. Files on the clipboard are the clipboard's matter. */
export type Drives = {
/** Which way files may pass; `none`: there are no drives. Names, sizes and times of files pass both ways wherever there are drives. The gateway enforces it, whatever the client does. */
direction?: Direction;
};

/** What the log need not hold any more. */
export type DroppedShown = {
/** When. */
at: string;
/** The last entry that was dropped; all before it were, too. */
through: number;
/** Why: `age` or `size`. */
why: string;
};

/** A settings object, of any kind. */
export type Edited = {
/** Its id. */
id: string;
/** Its kind. */
kind: Kind;
};

/** An object that somebody edits. */
export type Editing = {
/** Who edits it, whoever began first before the others. */
by: (Editor)[];
/** Its id. */
id: string;
/** Its kind. */
kind: Kind;
/** Its name. */
name: string;
};

/** What is edited. */
export type EditingList = {
/** By kind. */
items: (Editing)[];
};

/** Somebody who edits an object. */
export type Editor = {
/** As the change log names them: `user anna`. */
name: string;
/** Their sign-in; none for a token. */
session?: (string | null);
/** Since when. */
since: string;
};

/** What a rule says. */
export type Effect = ("allow" | "deny");

/** The settings of somebody's client. */
export type Effective = {
/** The virtual channels that are left open; the gateway enforces it. */
channels: ChannelPolicy;
/** The groups that are enforced, by their fields in the settings. */
enforced: (Group2)[];
/** The policies that were looked at, in order, up to the one that holds. */
looked_at: (LookedAt2)[];
/** The policy that holds; none: everything is left to the user. */
policy?: (Holding | null);
/** What it enforces. An absent group is left to the user. */
settings: PolicySettings;
};

/** What somebody sees and may do, and why. */
export type EffectiveAccess = {
/** The moment that it is said for. */
at: string;
/** What the site's list of clients says. */
clients: Admission;
/** What is known of the user and the device. */
facts: Facts;
/** What the logon hours say. */
hours: Standing2;
/** The client policy that holds, and those passed over. */
policy: Effective;
/** Every published resource, in the order in which it is shown. */
resources: (ResourceAccess)[];
/** Who. */
user: string;
/** Whether the account is enabled: if not, nothing below comes to anything. */
user_enabled: boolean;
/** The user's name. */
user_name: string;
/** How many of the resources they see. */
visible: number;
};

/** Load balancing with every field decided. */
export type EffectiveBalancing = {
/** A host whose agent was silent for so many seconds is taken for dead: nothing more is placed on it. */
agent_timeout_secs: number;
/** By load: count CPU in use. */
cpu: boolean;
/** Return a user to a disconnected session only from the address it was begun from. */
match_client_address: boolean;
/** By load: count memory in use. */
memory: boolean;
/** By load, or in turn. */
method: Method;
/** By load: count sessions against the limit. */
sessions: boolean;
};

/** Host settings with every field decided. */
export type EffectiveHostSettings = {
/** Where the operating system's accounts come from. */
accounts: AccountMode;
/** Whether new sessions are placed on it by load; if not, only resources that name this very host open there. */
balanced: boolean;
/** Keeping one user's programs from slowing all others. */
cpu_optimisation: CpuOptimisation;
/** CPU in use, in percent. */
cpu_threshold: Threshold;
/** A disconnected session is logged off after this many minutes (at most 19 days); 0 never. */
disconnected_logoff_minutes: number;
/** Time since a session was left, in minutes. */
disconnected_threshold: Threshold;
/** A session without input for this many minutes (at most 19 days) is disconnected; 0 never. */
idle_disconnect_minutes: number;
/** Time without input of a session, in minutes. */
idle_threshold: Threshold;
/** After the last program of an application session has ended: seconds until it is disconnected, at most 19 days, or `never`. */
linger_disconnect_secs: Linger;
/** A disconnected application session without a program: seconds until it is logged off, at most 19 days, or `never`. With 0 it is logged off where it would be disconnected. */
linger_logoff_secs: Linger;
/** How long the latest logon to a session took, from its launch to the first picture, in seconds. */
logon_threshold: Threshold;
/** Most sessions at a time, 1 to 10000. */
max_sessions: number;
/** Memory in use, in percent. */
memory_threshold: Threshold;
/** Longest time that a logon may take, in seconds, before the user gets an error: 5 to 600. */
readiness_timeout_secs: number;
/** Round trip between gateway and client of a session, in milliseconds. */
round_trip_threshold: Threshold;
/** Sessions, in percent of `max_sessions`. */
sessions_threshold: Threshold;
};

/** One page of the log. */
export type Entries = {
/** The entries that the caller may see. */
items: (EntryShown)[];
/** Pass it as `before` (or `after`) for the next page; none on the last. */
next?: (number | null);
};

/** An entry of the log. */
export type EntryShown = {
/** When. */
at: string;
/** Who did it, or tried to. */
author: Author;
/** The change of settings that it tells of. */
change?: (ChangeShown | null);
/** What. */
code: Code2;
/** More about it, by name, such as `why`. */
details: Record<string, string>;
/** SHA-256 over the entry and the hash of the one before. */
hash: string;
/** 1 for the first entry, one more with every entry. */
number: number;
/** How it ended. */
outcome: Outcome2;
/** What it was done to. */
subjects: (Subject)[];
};

export type EventsQuery = {
/** What is listened to, separated by commas: `settings`, `objects`, `sessions`, `hosts`, `load`, `gateways`, `messages`, `editing`. */
topics: string;
};

/** A decision with all that went into it. */
export type Explanation = {
/** Whether the user may open it, and by which rule. */
access: Access;
/** When this was decided. */
at: string;
/** What the site's list of clients says. */
clients: Admission;
/** What is known of the user and the device. */
facts: Facts;
/** What the logon hours say. */
hours: Standing2;
/** Whether each of these serves the launch. */
looked_at: (LookedAt)[];
/** The limits of use that it goes beyond. */
over_limits: (OverLimit)[];
/** Where sessions of it run, with what is known of each host. */
placement?: (PlacementInputs | null);
/** What would be done; none: the user may not open it. */
plan?: (Plan2 | null);
/** The client policy that holds, and those passed over. */
policy: Effective;
/** What is opened. */
resource: string;
/** Its name. */
resource_name: string;
/** Name of the rule that decided, if one did and it has a name. */
rule_name?: (string | null);
/** The user's sessions, on any host. */
sessions: (OwnSession)[];
/** The answer as a sentence. */
summary: string;
/** Whose launch. */
user: string;
/** Whether the account is enabled. */
user_enabled: boolean;
/** The user's name. */
user_name: string;
};

/** What is sent to export the farm. */
export type Export = {
/** Also the farm's own keys, so that it can be restored as itself: gateways and hosts then go on without joining again. Whoever opens the archive can make certificates that the farm trusts. */
farm_keys?: boolean;
/** Seals what is secret; at least 12 characters. Without it, nothing secret is in the archive. */
passphrase?: (string | null);
};

/** Where a group or a user comes from that an administrator has chosen from a directory. */
export type External = {
/** The directory. */
directory: string;
/** What it is there: a SID, or an entry's UUID. It stays when the entry is renamed. */
id: string;
};

/** What is known of whoever asks. A fact that is not known matches no *is*, and so every *is not*. */
export type Facts = {
/** Its address. */
address?: (string | null);
/** Its client. */
client?: (ClientKind | null);
/** Name of their device. */
client_name?: (string | null);
/** Its operating system. */
client_os?: (ClientOs | null);
/** The client's version, dotted numbers. */
client_version?: (string | null);
/** The gateway they came through. */
gateway?: (string | null);
/** The groups the user belongs to, nested ones resolved. */
groups?: (string)[];
/** The hardware id that it reports. */
hardware_id?: (string | null);
/** The site they signed in to: that of the broker. */
site?: (string | null);
/** The theme they signed in at. */
theme?: (string | null);
/** Who. */
user?: (string | null);
};

/** Settings of the whole farm. There is exactly one. */
export type Farm = {
/** How administrators sign in. */
administration?: AdministrationSettings;
/** The log of changes and of what happened. */
audit?: AuditSettings;
/** Backups of all settings. */
backup?: Backup;
/** How long a component's certificate is valid, in hours. It renews itself at two thirds. */
certificate_lifetime_hours?: number;
/** The server that the farm's mail goes through; none: it sends none. */
mailbox?: (Mailbox | null);
/** How users sign in. */
sign_in?: SignInSettings;
};

/** The farm at a glance, as this broker sees it. What the caller may not see is not counted. */
export type FarmStatus = {
/** What else wants attention. */
attention: Attention;
/** Backups of all settings, by this broker; none for who may not see the infrastructure. */
backup?: (BackupState | null);
/** The broker that answers. */
broker_id: string;
/** Its name. */
broker_name: string;
/** Certificates: those of the gateways that are connected, the farm's authority's and this broker's. */
certificates: (HeldCertificate)[];
/** The farm's id. */
farm_id: string;
/** The farm's name. */
farm_name: string;
/** Gateways. */
gateways: GatewayCount;
/** Session hosts. */
hosts: HostCount;
/** Number of the newest change of settings that this broker knows. */
newest_change: number;
/** The time on this broker. */
now: string;
/** Published resources, folders included. */
resources: number;
/** Sessions. */
sessions: SessionCount;
/** How the log is sent to the syslog server; none: there is none, or the caller may not see the log. */
syslog?: (SyslogState | null);
/** Settings that this version cannot read. */
unreadable_objects: number;
/** Users in the farm's own directory. */
users: number;
/** Version of its software. */
version: string;
};

/** What a [`View`] writes. */
export type FarmView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Farm;
};

/** One field that is different. */
export type FieldChange = {
/** What it says after; null: nothing. */
after: unknown;
/** What it says before; null: nothing. */
before: unknown;
/** Its path, such as `spec.settings.max_sessions`. */
field: string;
};

/** The first root administrator. */
export type FirstRoot = {
/** Their full name. */
full_name?: string;
/** What they will sign in with. */
name: string;
/** Their password. */
password: string;
/** The token in the file `admin.token` of the broker's data directory. */
token: string;
};

/** Whether the farm is at its first start. */
export type FirstStart = {
/** Whether nobody can sign in as root yet. */
needed: boolean;
};

/** Whether a session of the user serves a launch. Ordered: the greatest is taken. */
export type Fit = ("other_device" | "other_host" | "not_shared" | "shared" | "prelaunched" | "left" | "instance" | "open");

/** A secure gateway. It comes into being when it joins. */
export type Gateway = {
/** For administrators. */
description?: string;
/** A disabled gateway takes no new connections; those it has go on. */
enabled?: boolean;
/** The name users type, with the port if it is not 443. Where preferred routes send users from one gateway to another, both need theirs: pages connect only where the farm says, and gateways answer only its pages. */
public_address?: (string | null);
};

export type GatewayCount = {
/** Connections they carry. */
connections: number;
/** Those that are connected to this broker. */
reachable: number;
/** All. */
total: number;
};

/** Sends clients to other entry points. */
export type GatewayRedirection = {
/** In this order; where none answers, the one that was used. */
routes: (Route)[];
};

/** What is known of a gateway now. */
export type GatewayState = {
/** The certificate that it shows to browsers and clients. */
certificate?: (CertificateState | null);
/** Connections it carries. */
connections: number;
/** Share of its CPUs in use, 0 to 1. */
cpu_load?: (number | null);
/** Whether it is being closed. */
draining: boolean;
/** When it last gave a sign of life. */
last_report?: (string | null);
/** The machine's own name. */
machine_name?: (string | null);
/** Whether it is connected to this broker. */
reachable: boolean;
/** Version of its software. */
version?: (string | null);
};

/** What a [`View`] writes. */
export type GatewayView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Gateway;
/** What is known of it now. */
state: GatewayState;
};

/** Something that is going on for a schedule on one host. */
export type GoingOn = ({
mark: "drain";
} | {
mark: "disable";
} | {
mark: "disable_logons";
} | {
mark: "message";
minutes_before: number;
} | {
mark: "end_sessions";
} | {
mark: "force_log_off";
} | {
attempt: number;
mark: "reboot";
} | {
attempt: number;
mark: "stop";
} | {
attempt: number;
mark: "start";
} | {
mark: "release";
outcome: Outcome;
}) & {
/** When. */
at: string;
/** The host. */
host: string;
/** For which of the schedule's times. */
occurrence: string;
};

/** Something that the role custom may do. */
export type Grant = {
/** What may be done. Whoever may do anything may see it. */
actions: (Action)[];
/** In this area. */
area: Area;
/** Only to objects of this kind, which is one of the area's. */
kind?: (Kind | null);
/** Only to the object with this id. */
object?: (string | null);
/** Only to what belongs to this site. */
site?: (string | null);
};

/** A group of users. Membership is kept with the user, so that one change touches one object; in a directory's group are also those whom the directory says. */
export type Group = {
/** For administrators. */
description?: string;
/** The directory's group that it stands for; absent: it is the farm's own. */
external?: (External | null);
};

/** A group of a policy's settings. */
export type Group2 = ("display" | "clipboard" | "drives" | "printing" | "audio" | "keyboard" | "connection" | "network" | "options" | "redirection");

/** What a [`View`] writes. */
export type GroupView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Group;
};

/** A certificate that somebody shows. */
export type HeldCertificate = {
/** Which gateway; none: it is no gateway. */
gateway?: (string | null);
/** Who. */
holder: Holder;
/** Who made it. */
issuer: string;
/** Its name. */
name: string;
/** The names and addresses that it is for. */
names: (string)[];
/** Until when it is valid. */
not_after: string;
/** From when it is valid. */
not_before: string;
/** Whether nobody but itself vouches for it: browsers warn of it. */
self_signed: boolean;
/** SHA-256 of it, in hexadecimal digits. */
sha256: string;
/** How it stands. */
standing: Standing;
/** Whose it is. */
subject: string;
};

/** Why a resource is not seen. */
export type Hidden = ({
/** The folder whose sites it inherits; none: its own. */
inherited_from?: (string | null);
reason: "other_site";
} | {
/** Which. */
decision: Decision;
reason: "rule";
} | {
/** Which rule of the folder. */
decision: Decision;
/** The folder. */
folder: string;
reason: "folder_rule";
} | {
/** The folder whose status it inherits; none: its own. */
inherited_from?: (string | null);
reason: "disabled";
} | {
reason: "lost_folder";
});

/** Who shows a certificate. */
export type Holder = ("authority" | "broker" | "gateway");

/** A policy that holds. */
export type Holding = {
/** Which. */
id: string;
/** Its name: clients show it beside what it locks. */
name: string;
};

/** Hours that hold. */
export type Holding2 = {
/** Which. */
id: string;
/** Their name. */
name: string;
/** The time zone in which they are read. */
time_zone: string;
};

/** A machine that can run sessions. It comes into being when its agent joins. */
export type Host = {
/** For administrators. */
description?: string;
/** Where gateways reach it: a name or an IP address. Absent: the address its agent reports. */
address?: (string | null);
/** A disabled host serves nothing. */
enabled?: boolean;
/** Whether it takes new logons. */
logon_mode?: LogonMode;
/** The pool it is a member of. Every host is in exactly one. */
pool: string;
/** What it sets itself; the rest it inherits from its pool, then from its site. */
settings?: HostSettings;
};

export type HostCount = {
/** Those whose agent is connected. */
reachable: number;
/** All. */
total: number;
/** Those of the reachable whose session software does not work. */
unhealthy: number;
};

/** What a host, a pool or a site's defaults may say. An absent field inherits: host, then pool, then site, then the product's default. */
export type HostSettings = {
/** Where the operating system's accounts come from. */
accounts?: (AccountMode | null);
/** Whether new sessions are placed on it by load; if not, only resources that name this very host open there. */
balanced?: (boolean | null);
/** Keeping one user's programs from slowing all others. */
cpu_optimisation?: (CpuOptimisation | null);
/** CPU in use, in percent. */
cpu_threshold?: (Threshold | null);
/** A disconnected session is logged off after this many minutes (at most 19 days); 0 never. */
disconnected_logoff_minutes?: (number | null);
/** Time since a session was left, in minutes. */
disconnected_threshold?: (Threshold | null);
/** A session without input for this many minutes (at most 19 days) is disconnected; 0 never. */
idle_disconnect_minutes?: (number | null);
/** Time without input of a session, in minutes. */
idle_threshold?: (Threshold | null);
/** After the last program of an application session has ended: seconds until it is disconnected, at most 19 days, or `never`. */
linger_disconnect_secs?: (Linger | null);
/** A disconnected application session without a program: seconds until it is logged off, at most 19 days, or `never`. With 0 it is logged off where it would be disconnected. */
linger_logoff_secs?: (Linger | null);
/** How long the latest logon to a session took, from its launch to the first picture, in seconds. */
logon_threshold?: (Threshold | null);
/** Most sessions at a time, 1 to 10000. */
max_sessions?: (number | null);
/** Memory in use, in percent. */
memory_threshold?: (Threshold | null);
/** Longest time that a logon may take, in seconds, before the user gets an error: 5 to 600. */
readiness_timeout_secs?: (number | null);
/** Round trip between gateway and client of a session, in milliseconds. */
round_trip_threshold?: (Threshold | null);
/** Sessions, in percent of `max_sessions`. */
sessions_threshold?: (Threshold | null);
};

/** How a host stands, number by number. */
export type HostSeverity = {
/** CPU in use. */
cpu: Severity;
/** Memory in use. */
memory: Severity;
/** Sessions against the most there may be. */
sessions: Severity;
};

/** What a broker knows of a host when it places a session. */
export type HostSnapshot = {
/** How long its agent may be silent, in seconds, before nothing more is placed on it: its pool's. */
agent_timeout_secs: number;
/** Whether sessions are placed on it by load; if not, it takes only what names it. */
balanced: boolean;
/** Share of its CPUs in use, 0 to 1. */
cpu_load: number;
/** Whether an administrator has it in use. */
enabled: boolean;
/** Which. */
id: string;
/** When its agent last reported; none: never since this broker started. */
last_report?: (string | null);
/** Whether it takes logons. */
logon_mode: LogonMode;
/** Most sessions at a time. */
max_sessions: number;
/** Share of its memory in use, 0 to 1. */
memory_load: number;
/** Its name, for explanations. */
name: string;
/** Why its session software does not work; none: it works. */
problem?: (string | null);
/** Sessions that run, and seats promised. */
sessions: number;
};

/** What is known of a host now. */
export type HostState = {
/** Version of the agent. */
agent_version?: (string | null);
/** Share of all CPUs in use, 0 to 1. */
cpu_load?: (number | null);
/** What is left of it for users, in bytes. */
disk_available_bytes?: (number | null);
/** Size of the disk that the system and the users' homes are on, in bytes: of two, the fuller one. */
disk_total_bytes?: (number | null);
/** When its agent last reported. */
last_report?: (string | null);
/** The logon mode in force on the host; it follows the one that is set within a second. */
logon_mode?: (LogonMode | null);
/** The machine's own name. */
machine_name?: (string | null);
/** Memory that programs could still have, in bytes. */
memory_available_bytes?: (number | null);
/** Memory of the machine, in bytes. */
memory_total_bytes?: (number | null);
/** The operating system, readable. */
operating_system?: (string | null);
/** Why it cannot take sessions although it is reachable. */
problem?: (string | null);
/** Where gateways reach it, as its agent reports. */
rdp_address?: (string | null);
/** Whether its agent is connected. */
reachable: boolean;
/** One-time logons refused since the agent started. */
refused_logons?: (number | null);
/** The software that makes sessions, readable. */
session_software?: (string | null);
/** Sessions on it, those prepared included. */
sessions: number;
/** Seconds since the machine started. */
uptime_secs?: (number | null);
};

/** What a [`View`] writes. */
export type HostView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its settings with inheritance resolved. */
effective: EffectiveHostSettings;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** Where each of them comes from. */
origins: Record<string, Level>;
/** 1 when it was made, one more with every change. */
revision: number;
/** How its load stands to the thresholds that hold for it. */
severity: HostSeverity;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Host;
/** What is known of it now. */
state: HostState;
};

/** A part of the week. */
export type Hours = {
/** The days on which it begins. */
days: (Day)[];
/** When it begins, as in `08:00:00`. */
from: string;
/** When it ends; not after `from`: on the next day. Absent: at midnight. */
to?: (string | null);
};

export type IconPath = {
/** The icon's id (64 hexadecimal digits), or the name of a built-in one. */
id: string;
};

/** How the path's id is described. */
export type IdInPath = {
/** The object's id, a UUID. */
id: string;
};

/** What is sent to import an archive. */
export type Import = {
/** The archive, as it was exported. */
archive: Archive;
/** Only says what would be done. */
dry_run?: boolean;
/** What its secrets are sealed with. */
passphrase?: (string | null);
/** Also into a farm that is not empty: what is not in the archive is deleted. */
replace?: boolean;
};

/** A program installed on a host. */
export type InstalledApp = {
/** Its arguments. */
arguments: string;
/** Where it belongs in a menu. */
categories: (string)[];
/** What it is for. */
comment: string;
/** Its icon: a PNG in base64. Only when icons were asked for. */
icon_png?: (string | null);
/** Its id on the host, such as `org.xfce.mousepad`. */
id: string;
/** Its name. */
name: string;
/** The program. */
program: string;
};

/** Programs installed on a host. */
export type InstalledApps = {
/** In the order of their names. */
apps: (InstalledApp)[];
};

/** What an invitation says, without its secret. */
export type InvitationSettings = {
/** The name that the component gets; none: the one it reports. */
component_name?: (string | null);
/** When it stops working. */
expires_at: string;
/** The pool an agent's host is put into. */
pool?: (string | null);
/** What joins with it. */
role: Role;
/** Set when it was used. */
used?: (Used | null);
};

/** Whether an invitation still works. */
export type InvitationState = ("open" | "used" | "expired");

/** What a [`View`] writes. */
export type InvitationView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: InvitationSettings;
/** Whether it still works. */
state: InvitationState;
};

/** An invitation that was just made. */
export type IssuedInvitation = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: InvitationSettings;
/** Whether it still works. */
state: InvitationState;
/** The string to paste where the component runs. It is shown only now. */
string: string;
};

/** A token that was just made. */
export type IssuedToken = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** When it was used last on this broker, to the minute; none: never. */
last_used_at?: (string | null);
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** Who has made it: it counts only while they are an administrator, and never for more than they may do. None: it was made by the farm itself, or with a token that is nobody's. */
owner?: (TokenOwner | null);
/** 1 when it was made, one more with every change. */
revision: number;
/** Its secret, for the header `Authorization: Bearer …`. It is shown only now. */
secret: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: TokenSettings;
};

/** One object of a page. */
export type Item_for_AdministratorView = (AdministratorView | Part);

/** One object of a page. */
export type Item_for_BrokerView = (BrokerView | Part);

/** One object of a page. */
export type Item_for_DirectoryView = (DirectoryView | Part);

/** One object of a page. */
export type Item_for_FarmView = (FarmView | Part);

/** One object of a page. */
export type Item_for_GatewayView = (GatewayView | Part);

/** One object of a page. */
export type Item_for_GroupView = (GroupView | Part);

/** One object of a page. */
export type Item_for_HostView = (HostView | Part);

/** One object of a page. */
export type Item_for_InvitationView = (InvitationView | Part);

/** One object of a page. */
export type Item_for_LogonHoursView = (LogonHoursView | Part);

/** One object of a page. */
export type Item_for_NotificationView = (NotificationView | Part);

/** One object of a page. */
export type Item_for_PolicyView = (PolicyView | Part);

/** One object of a page. */
export type Item_for_PoolView = (PoolView | Part);

/** One object of a page. */
export type Item_for_Referrer = (Referrer | Part);

/** One object of a page. */
export type Item_for_ResourceView = (ResourceView | Part);

/** One object of a page. */
export type Item_for_ScheduleView = (ScheduleView | Part);

/** One object of a page. */
export type Item_for_SessionView = (SessionView | Part);

/** One object of a page. */
export type Item_for_SiteView = (SiteView | Part);

/** One object of a page. */
export type Item_for_TokenView = (TokenView | Part);

/** One object of a page. */
export type Item_for_UserView = (UserView | Part);

/** A key for an authenticator. It counts once a code of it was sent. */
export type Key = {
/** To be shown as a QR code: `otpauth://totp/…`. */
address: string;
/** To be typed into the authenticator: base32. */
key: string;
};

/** The keyboard. */
export type Keyboard = {
/** The layout in the session as a language tag, as in `de-DE`; absent: the user's own. */
layout?: (string | null);
/** Whether key combinations of the user's own system go to the session in full screen. */
system_keys?: boolean;
};

/** What a settings object is. */
export type Kind = ("farm" | "site" | "broker" | "gateway" | "pool" | "host" | "directory" | "group" | "user" | "resource" | "policy" | "logon_hours" | "schedule" | "notification" | "token" | "administrator" | "invitation");

/** A kind of settings object. */
export type KindView = {
/** What it is. */
about: string;
/** The area of administration it belongs to. */
area: Area;
/** Its word. */
kind: Kind;
/** Its path below `/api/v1`. */
plural: string;
/** What can be done with its objects. */
verbs: (Verb)[];
};

/** Every kind of settings object. */
export type Kinds = {
/** In the order in which objects may refer to each other. */
items: (KindView)[];
};

/** A launch to explain. What is left out of the device's facts counts as not known. */
export type LaunchToExplain = {
/** Its address. */
address?: (string | null);
/** The moment to explain for; absent: now. Hosts and sessions are those of now in any case. */
at?: (string | null);
/** Its client. */
client?: (ClientKind | null);
/** Name of their device. */
client_name?: (string | null);
/** Its operating system. */
client_os?: (ClientOs | null);
/** The client's version. */
client_version?: (string | null);
/** The gateway they come through. */
gateway?: (string | null);
/** The hardware id that it reports. */
hardware_id?: (string | null);
/** Of what. */
resource: string;
/** The site they sign in to. */
site?: (string | null);
/** The theme they sign in at. */
theme?: (string | null);
/** The device's time zone, as in `Europe/Berlin`. */
time_zone?: (string | null);
/** Whose launch. */
user: string;
};

/** For how many a message was left. */
export type Left = {
/** Sign-ins. */
readers: number;
};

/** Where a value comes from. */
export type Level = ("host" | "pool" | "site" | "followed_site" | "product");

/** How long a session without a program is kept: seconds, or never ended. */
export type Linger = (number | "never");

/** Which objects of a list of settings objects are wanted. */
export type ListQuery = {
/** Go on after this: `next` of the previous answer. It stays right while objects come and go. */
after?: (string | null);
/** Says in `total` how many fit on all pages together, too. */
count?: boolean;
/** With `name`: only the object that is called exactly this. */
exact?: boolean;
/** Only these fields of each object, as paths separated by commas; the id is always there. */
fields?: (string | null);
/** Only objects of which all of these hold, separated by commas: `path:value` (is), `path!:value` (is not), `path~:part` (contains); with `|` between them, one of them is enough. Paths are those of the shown JSON, such as `spec.enabled:false`; upper and lower case of values are the same; a value with a comma or a `|` goes into quotation marks. */
filter?: (string | null);
/** Most objects of the answer: 1 to 1000; 100 when not said. */
limit?: (number | null);
/** Only objects whose name contains this; upper and lower case are the same. */
name?: (string | null);
/** Only objects of this site. */
site?: (string | null);
/** Paths to sort by, separated by commas; with `-` in front the largest comes first. Without it: by name. */
sort?: (string | null);
};

/** Load and sessions over some time, as this broker has seen them since it began. Hosts that the caller may not see are left out. */
export type Load = {
/** Use of processors, 0 to 1, by host, in the order of `items`; null where the host was away. Only when it was asked for. */
cpu_by_host?: (Record<string, ((number | null))[]> | null);
/** The oldest first. */
items: (LoadSample)[];
/** The hosts as they are: no part of the history, which has one sample for each step. */
now: LoadSample;
/** Seconds between two samples. */
step_secs: number;
};

/** Which load is wanted. */
export type LoadQuery = {
/** Also each host's use of its processors, for small charts in lists. */
by_host?: boolean;
/** Only this host's. */
host?: (string | null);
/** Of the last so many minutes: 1 to 360; 60 when not said. */
minutes?: (number | null);
/** Only that of the hosts that are in this pool now. */
pool?: (string | null);
};

/** The hosts at one moment. */
export type LoadSample = {
/** Sessions with a client. */
active: number;
/** When. */
at: string;
/** Share of their processors in use, 0 to 1: the mean. */
cpu: number;
/** Sessions without one. */
disconnected: number;
/** Hosts that were there. */
hosts: number;
/** Share of their memory in use, 0 to 1: the mean. */
memory: number;
};

/** When whom the farm is open to. Of several, the first by `order` whose rules allow a user holds for them; whom none holds for may come at any time. */
export type LogonHours = {
/** For administrators. */
description?: string;
/** By whose clocks. */
clock?: Clock;
/** Disabled hours hold for nobody. */
enabled?: boolean;
/** When the farm is open; outside of these it is not. */
open: (Hours)[];
/** Its place among all logon hours: smaller first, then by name. */
order?: number;
/** What happens outside the hours. */
outside?: Outside;
/** Whom they hold for. Without rules, everybody. */
rules?: Rules;
};

/** What a [`View`] writes. */
export type LogonHoursView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: LogonHours;
};

/** Whether a host takes logons. */
export type LogonMode = ("enabled" | "disabled" | "drain" | "drain_until_reboot");

/** The latest logon to a session, in milliseconds: what the user waited for, in this order. A step is none until it is over, and where nobody measures it. */
export type LogonSteps = {
/** The broker found out what may be opened and on which host. */
brokering_ms?: (number | null);
/** From the client's arrival at the gateway until its logon had gone to the host. What the client did between the broker's answer and its arrival is in no step. */
connect_ms?: (number | null);
/** What else passed from the logon until the first picture had gone to the client. */
first_picture_ms?: (number | null);
/** The host checked the logon and started the session, or led the client to the one that ran. */
host_logon_ms?: (number | null);
/** The part of `connect_ms` until the gateway had reached the host; the rest is the connection sequence of RDP, which goes back and forth between client and host. */
host_reached_ms?: (number | null);
/** A host made the seat and the one-time logon ready. */
prepare_ms?: (number | null);
/** All steps together, once the first picture is there. */
total_ms?: (number | null);
};

/** A session of the user, looked at. */
export type LookedAt = {
/** Whether it serves. */
fit: Fit;
/** Which. */
session: string;
};

/** One that was looked at. */
export type LookedAt2 = {
/** What its rules say; none: it is disabled. */
decision?: (Decision | null);
/** Which. */
id: string;
/** Its name. */
name: string;
/** Name of the rule that decided, if one did and has a name. */
rule_name?: (string | null);
};

/** The mail server took the mail. */
export type MailTaken = {
/** What it said: `250 2.0.0 Ok: queued as 4F1A`. */
answer: string;
};

/** How the way to a mail server is kept secret. */
export type MailTls = ("required" | "implicit" | "opportunistic");

/** Who gets mail. It goes through the farm's mailbox. */
export type MailTo = {
/** Further addresses. */
addresses?: (string)[];
/** The administrators who are `notified`. */
administrators?: boolean;
};

/** The server that the farm's mail goes through. The password is a secret of the farm, and is given to the server for which it was set, and to no other. */
export type Mailbox = {
/** Its port: usually 587 for submission, 465 with `implicit` TLS. */
port?: number;
/** Whom mail is from: `oriel@example.org`. */
sender: string;
/** Name or address of the server. */
server: string;
/** How the way there is kept secret. */
tls?: MailTls;
/** Certificates of authorities (PEM) that the server's certificate may come from, beside those that the broker's machine trusts. */
trusted_certificates?: (string | null);
/** The account that signs in; none: nobody does. */
user_name?: (string | null);
};

/** What is known of the farm's mailbox beside its settings. */
export type MailboxState = {
/** Whether its password is set. */
password: PasswordState;
};

/** What somebody may do now. */
export type May = {
/** See the list of resources. */
list: boolean;
/** Open resources, and return to sessions. */
open: boolean;
/** Sign in. */
sign_in: boolean;
/** Stay connected to sessions. */
stay: boolean;
};

/** Who calls, and what they may do. */
export type Me = {
/** What they may do somewhere in each area. */
areas: Record<string, (Action)[]>;
/** As the change log names them: `user anna`, `token admin`. */
name: string;
/** How many of their recovery codes are left. */
recovery_codes: number;
/** Their roles: what any of them permits is permitted. */
roles: (RoleView)[];
/** Whether there is no limit. */
root: boolean;
/** Whether they must set up a second factor before anything else. */
second_factor_needed: boolean;
/** Their sign-in; none for a token. */
session?: (MySession | null);
/** The token; none for a user. */
token?: (string | null);
/** Whether they have a second factor. */
totp: boolean;
/** The user; none for a token. */
user?: (MyUser | null);
};

/** A message to a session. */
export type Message = {
/** Its title. */
title: string;
/** What the user reads. */
text: string;
};

/** The caller's messages. */
export type MessageList = {
/** The oldest first. */
items: (ColleagueMessage)[];
};

/** How sessions are spread over hosts. */
export type Method = ("resource" | "round_robin");

/** One thing wrong with one field. */
export type Mistake = {
/** Path of the field, such as `spec.rules[2].criteria[0].objects`. */
field: string;
/** A sentence for the person who typed it. */
message: string;
};

/** Where a resource is to lie. */
export type Move = {
/** In this folder; none: at the top. */
folder?: (string | null);
/** Which. */
id: string;
/** Its place among its siblings. */
order: number;
/** The revision that was read. */
revision: number;
};

/** What was moved. */
export type Moved = {
/** The resources as they are now, in the order in which they were named. */
items: (ResourceView)[];
/** The number of the transaction, by which all is taken back at once; null: everything lay there already. */
transaction?: (number | null);
};

/** Resources that are moved together. */
export type Moves = {
/** 1 to 1000, each resource once. */
moves: (Move)[];
};

export type MySession = {
/** When it ends at the latest. */
ends_at: string;
/** Its id. */
id: string;
/** When it ends unless something is done; a minute before is the time to warn. */
idle_ends_at: string;
/** How many seconds that is from now, for clocks that are not the broker's. */
idle_left_secs: number;
};

export type MyUser = {
/** Their full name. */
full_name: string;
/** Its id. */
id: string;
/** What they sign in with. */
name: string;
};

/** An object by its name. */
export type Named = {
/** Its id. */
id: string;
/** Its name. */
name: string;
};

/** How much of the network a session takes. */
export type Network = {
/** Most that one connection may take, in kbit/s from session to device; absent: no limit. The gateway enforces it. */
max_kbits?: (number | null);
/** What the client asks the session for. The gateway writes it into what the client says to the host. */
quality?: Quality;
};

/** The password of a service account. */
export type NewBindPassword = {
/** For the account and the servers that are set now. */
password: string;
};

/** An icon that was taken. */
export type NewIcon = {
/** Its id, for `icon` of a resource: SHA-256 of the PNG that is kept. */
id: string;
};

/** What an administrator sends to invite a component. */
export type NewInvitation = {
/** The name that the component gets; absent: the one it reports. */
component_name?: (string | null);
/** How long it works, in hours: 1 to 720; absent: 24. */
hours?: (number | null);
/** A name for the invitation; absent: one is made. */
name?: (string | null);
/** The pool an agent's host is put into; needed for agents. */
pool?: (string | null);
/** What shall join: a gateway or an agent. */
role: Role;
};

/** Whether the host shall take logons. */
export type NewLogonMode = {
/** The mode. */
logon_mode: LogonMode;
};

/** A passphrase that is set. */
export type NewPassphrase = {
/** At least 12 characters. Keep it where the backups are not: without it they cannot be opened. */
passphrase: string;
};

/** A password that is set. */
export type NewPassword = {
/** For the server and the account that are set now. */
password: string;
};

/** A new password. */
export type NewPassword2 = {
/** The password; at least 8 characters. */
password: string;
};

/** What an administrator sends to make a user. */
export type NewUser = {
/** What they sign in with. */
name: string;
/** Their password; without one they cannot sign in yet. */
password?: (string | null);
/** The site they belong to; none when they belong to the farm. */
site?: (string | null);
/** What is set. */
spec?: User;
};

/** What an administrator sends to make an object. */
export type New_for_Administrator = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Administrator;
};

/** What an administrator sends to make an object. */
export type New_for_Directory = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Directory;
};

/** What an administrator sends to make an object. */
export type New_for_Group = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Group;
};

/** What an administrator sends to make an object. */
export type New_for_LogonHours = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: LogonHours;
};

/** What an administrator sends to make an object. */
export type New_for_Notification = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Notification;
};

/** What an administrator sends to make an object. */
export type New_for_Policy = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Policy;
};

/** What an administrator sends to make an object. */
export type New_for_Pool = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Pool;
};

/** What an administrator sends to make an object. */
export type New_for_Resource = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Resource;
};

/** What an administrator sends to make an object. */
export type New_for_Schedule = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Schedule;
};

/** What an administrator sends to make an object. */
export type New_for_Site = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: Site;
};

/** What an administrator sends to make an object. */
export type New_for_TokenSettings = {
/** Its name, unique among the objects of its kind. */
name: string;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. An absent field inherits, or has its default. */
spec: TokenSettings;
};

/** Tells people when something happens in the farm. One that belongs to a site watches what belongs to that site, whatever its target says. */
export type Notification = {
/** For administrators. */
description?: string;
/** A disabled notification watches nothing. */
enabled?: boolean;
/** What is watched. */
event: Watched;
/** How long it lasts before anybody is told, in minutes. */
grace_minutes?: number;
/** The time between two messages at least, in minutes. What happens meanwhile is in the next one. */
interval_minutes?: number;
/** Who gets mail. */
mail?: MailTo;
/** The name of a script in the folder that the broker's node file names as `scripts`. It is run there. */
script?: (string | null);
/** Where it is watched. */
target?: NotificationTarget;
/** Whether those who were told are told, too, when it is well again. */
tell_recovered?: boolean;
/** The line that is crossed: for what is a number, and only there. */
threshold?: (CrossedLine | null);
/** Whether one message is enough until it is well again; otherwise there is one every interval. */
until_recovered?: boolean;
/** What is called. */
webhook?: (Webhook | null);
};

/** A message that could not be sent. */
export type NotificationFailure = {
/** When. */
at: string;
/** Which way. */
way: Way;
/** Why, as a sentence. */
why: string;
};

/** What is known of a notification now. */
export type NotificationState = {
/** What went wrong with the latest message; none: it went out. */
failure?: (NotificationFailure | null);
/** When it last said something. */
last_sent?: (string | null);
/** For how many hosts, gateways and others what it watches is so now, told or not. */
lasting: number;
/** How many of its messages wait to be sent, or to be sent again. */
waiting: number;
};

/** Where something is watched. */
export type NotificationTarget = ({
of: "all";
} | {
of: "sites";
/** At least one. */
sites: (string)[];
} | {
of: "pools";
/** At least one. */
pools: (string)[];
} | {
/** At least one. */
hosts: (string)[];
of: "hosts";
} | {
/** At least one. */
gateways: (string)[];
of: "gateways";
});

/** What a [`View`] writes. */
export type NotificationView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Notification;
/** What is known of it now. */
state: NotificationState;
};

/** What an object said at one revision. */
export type ObjectState = {
/** Its name. */
name: string;
/** Its site; none when it belongs to the farm. */
site?: (string | null);
/** Its spec. */
spec: unknown;
};

/** Why a host gets no new session. Ordered from the farthest from a yes to the nearest. */
export type Obstacle = ({
obstacle: "disabled";
} | {
obstacle: "not_balanced";
} | {
obstacle: "unreachable";
} | {
obstacle: "unhealthy";
/** Why. */
problem: string;
} | {
obstacle: "logons_disabled";
} | {
obstacle: "draining";
} | {
/** How many that is. */
limit: number;
obstacle: "full";
});

/** What an application is called on one host. An absent field is as everywhere. */
export type OnHost = {
/** Its arguments. */
arguments?: (string | null);
/** The host. */
host: string;
/** The program. */
program?: (string | null);
/** The folder it starts in. */
start_in?: (string | null);
};

/** How it went. */
export type Outcome = ("done" | "given_up" | "withdrawn");

/** How it ended. */
export type Outcome2 = ("done" | "refused" | "failed");

/** What happens outside the hours. */
export type Outside = {
/** Whether sessions that run are disconnected at the end of the hours. */
disconnect?: boolean;
/** By how much a user may put off the end, in minutes; 0: not at all. */
extend_minutes?: number;
/** What users read who come outside the hours; empty: a sentence of the product's. */
message?: string;
/** Whether opening is refused, and signing in with it where the list is not shown either. */
refuse?: boolean;
/** Whether the list of resources is shown. */
show_list?: boolean;
/** How long before the end users are warned, in minutes; 0: they are not. */
warn_minutes?: number;
};

/** A limit that a launch goes beyond. */
export type OverLimit = {
/** What comes of it. */
at_limit: AtLimit;
/** How many may use it at a time. */
limit: number;
/** What the user reads who is refused. */
message: string;
/** Its name. */
name: string;
/** Of which resource. */
resource: string;
/** How many do. */
uses: number;
};

/** The caller's password, and the one that is to be theirs. */
export type OwnPassword = {
/** The new one; at least 8 characters. */
new_password: string;
/** The one that they have. */
password: string;
};

/** A session of the user, as its host reports it. */
export type OwnSession = {
/** The address of the device that used it last. */
client_address?: (string | null);
/** Whether it is a whole desktop. */
desktop?: boolean;
/** Where it runs. */
host: string;
/** Which. */
id: string;
/** What is open in it, as far as is known: resources, and the applications that documents are open in. */
open?: (string)[];
/** Whether it was started beforehand and nothing was opened in it yet. */
prelaunched?: boolean;
/** What it was started for. */
resource?: (string | null);
/** Whether further programs may open in it. */
shared: boolean;
/** When it began. */
started_at: string;
/** Its state. */
state: SessionState;
};

/** One page of a list. */
export type Page_for_AdministratorView = {
/** The objects. */
items: (Item_for_AdministratorView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_BrokerView = {
/** The objects. */
items: (Item_for_BrokerView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_DirectoryView = {
/** The objects. */
items: (Item_for_DirectoryView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_FarmView = {
/** The objects. */
items: (Item_for_FarmView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_GatewayView = {
/** The objects. */
items: (Item_for_GatewayView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_GroupView = {
/** The objects. */
items: (Item_for_GroupView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_HostView = {
/** The objects. */
items: (Item_for_HostView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_InvitationView = {
/** The objects. */
items: (Item_for_InvitationView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_LogonHoursView = {
/** The objects. */
items: (Item_for_LogonHoursView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_NotificationView = {
/** The objects. */
items: (Item_for_NotificationView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_PolicyView = {
/** The objects. */
items: (Item_for_PolicyView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_PoolView = {
/** The objects. */
items: (Item_for_PoolView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_ResourceView = {
/** The objects. */
items: (Item_for_ResourceView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_ScheduleView = {
/** The objects. */
items: (Item_for_ScheduleView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_SessionView = {
/** The objects. */
items: (Item_for_SessionView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_SiteView = {
/** The objects. */
items: (Item_for_SiteView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_TokenView = {
/** The objects. */
items: (Item_for_TokenView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** One page of a list. */
export type Page_for_UserView = {
/** The objects. */
items: (Item_for_UserView)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** The fields of an object that were asked for, and its id. */
export type Part = {
id: string;
};

/** A host that gets no new session. */
export type PassedOver = {
/** Which. */
host: string;
/** Its name. */
name: string;
/** Why. */
obstacle: Obstacle;
};

/** The password of the farm's mailbox, which is never given back. */
export type PasswordState = ("not_needed" | "set" | "of_another" | "missing");

/** A question to a directory. */
export type PeopleQuery = {
/** Where the page before ended: its `next`. */
cursor?: (string | null);
/** People or groups. */
kind: Sought;
/** How many at most; up to 200, 50 if it is not said. */
limit?: (number | null);
/** What a name begins with; empty: all of them. */
text?: string;
};

/** What placement looks at. */
export type PlacementInputs = {
/** How sessions are spread over them. */
balancing: EffectiveBalancing;
/** The hosts. */
hosts: (HostSnapshot)[];
/** Where they are: `of pool Office`. */
place: string;
/** Count of placements so far. */
turn: number;
};

/** What a change of many objects does, or would do. */
export type Plan = {
/** Whether it was carried out. */
committed: boolean;
/** What could not be done, and is nobody's mistake: a sentence each. */
notes?: (string)[];
/** Every object that was asked for. */
plan: (PlanItem)[];
/** Number of the newest change of settings: after it was carried out, or that the plan was made on. */
sequence: number;
};

/** What to do. The broker carries out the first step that the host confirms. */
export type Plan2 = ({
/** Where. */
host: string;
/** Where to go if the host says that it is gone. */
otherwise: Ranking;
plan: "return";
/** Which. */
session: string;
/** Whether the program is started in it: it is another one's and shared, or the program has ended. */
start_program: boolean;
} | {
plan: "start";
/** In this order. */
ranking: Ranking;
} | {
plan: "refuse";
/** Every host with its obstacle. */
ranking: Ranking;
/** Why. */
refusal: Refusal;
} | {
/** Which limit. */
over: OverLimit;
plan: "limit_reached";
} | {
/** Where. */
host: string;
/** Name of the host. */
host_name: string;
/** Why. */
obstacle: Obstacle;
plan: "own_session_out_of_reach";
/** Which. */
session: string;
} | {
/** Where. */
host: string;
plan: "own_session_ending";
/** Which. */
session: string;
});

/** One object of a plan. */
export type PlanItem = {
/** What becomes of it. */
action: PlannedAction;
/** Field by field, with names in place of ids. */
changes?: (FieldChange)[];
/** What it is. */
kind: Kind;
/** Its name. */
name: string;
};

/** What becomes of an object. */
export type PlannedAction = ("create" | "change" | "delete" | "unchanged");

/** A client policy. Exactly one holds for a client: the first by `order` whose rules allow. Each group of settings is enforced (present) or left to the user (absent). */
export type Policy = {
/** For administrators. */
description?: string;
/** A disabled policy holds for nobody. */
enabled?: boolean;
/** Its place among all policies: smaller first, then by name. */
order?: number;
/** Whom it holds for. Without rules, everybody. */
rules?: Rules;
/** What it enforces. */
settings?: PolicySettings;
};

/** What a policy enforces, in groups. An absent group is left to the user. */
export type PolicySettings = {
audio?: (Audio | null);
clipboard?: (Clipboard | null);
connection?: (ConnectionSettings | null);
display?: (Display | null);
drives?: (Drives | null);
keyboard?: (Keyboard | null);
network?: (Network | null);
options?: (ClientOptions | null);
printing?: (Printing | null);
redirection?: (GatewayRedirection | null);
};

/** What a [`View`] writes. */
export type PolicyView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Policy;
};

/** Session hosts that are interchangeable for placement. */
export type Pool = {
/** For administrators. */
description?: string;
/** How sessions are spread over the members. */
balancing?: Balancing;
/** A disabled pool places nothing new. */
enabled?: boolean;
/** What members inherit. */
settings?: HostSettings;
};

/** A pool's settings with every field decided. */
export type PoolEffects = {
/** How sessions are spread over the members. */
balancing: EffectiveBalancing;
/** What members inherit. */
settings: EffectiveHostSettings;
};

/** Where a pool's settings come from. */
export type PoolOrigins = {
/** Of load balancing. */
balancing: Record<string, Level>;
/** Of what members inherit. */
settings: Record<string, Level>;
};

/** How the hosts of a pool are now, as this broker sees them. */
export type PoolState = {
/** Those whose agent is connected. */
connected: number;
/** Share of their processors in use, 0 to 1: the mean of those that are connected; none: none is. */
cpu_load?: (number | null);
/** Hosts in it. */
hosts: number;
/** Those that would take a new session now: connected, well, not held back and not full. */
open: number;
/** Sessions that the connected ones may have. */
places: number;
/** Sessions on them, those prepared included. */
sessions: number;
};

/** What a [`View`] writes. */
export type PoolView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** What holds for its members unless they say otherwise themselves. */
effective: PoolEffects;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** Where each value comes from. */
origins: PoolOrigins;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Pool;
/** How its hosts are now. */
state: PoolState;
};

/** Starting a session before the user opens anything. */
export type Prelaunch = ("off" | "basic");

/** The user's printers in the session. The gateway enforces it, whatever the client does. */
export type Printing = {
/** Whether there are any. */
printers?: boolean;
};

/** The body of every answer that is an error (RFC 9457). */
export type Problem = {
/** What kind of problem it is: the same for every answer with this code. */
title: string;
/** Where this kind of problem is explained: `/api/v1/problems/` and the code. */
type: string;
/** What to do about it, as a sentence. */
advice?: string;
/** When it was last changed. */
changed_at?: string;
/** Who changed it last. */
changed_by?: string;
/** What has changed since, field by field. */
changes?: (ChangedField)[];
/** Stable word for programs. */
code: string;
/** What happened, as a sentence. */
detail: string;
/** Everything wrong with what was sent, with its field. */
errors?: (Mistake)[];
/** Of code `outside_hours`: when that changes. */
opens_at?: (string | null);
/** The object's revision now. */
revision?: number;
/** The answer's status. */
status: number;
};

/** Every code of an answer that is an error. */
export type Problems = {
/** In the order of their statuses. */
items: (Code)[];
};

/** A process to end. */
export type ProcessToEnd = {
/** Its number on the host. */
process_id: number;
};

/** A process of a session. */
export type ProcessView = {
/** The command it was started with. */
command_line: string;
/** Share of one CPU, 0 to 1; more with several threads. */
cpu_load: number;
/** Memory it has to itself, in bytes. */
memory_bytes: number;
/** Its name. */
name: string;
/** Its number on the host. */
process_id: number;
/** When it began. */
started_at: string;
};

/** The processes of a session. */
export type Processes = {
/** In the host's order. */
processes: (ProcessView)[];
};

/** What resources of a site have in common. */
export type PublishingDefaults = {
/** What users read at the limit of concurrent uses of something that has no message of its own. */
limit_message?: string;
/** What users read who open something in maintenance that has no message of its own. */
maintenance_message?: string;
/** Days on which no session is started at sign-in. */
no_prelaunch_on?: (string)[];
};

/** What a client asks a session for. */
export type Quality = ("automatic" | "slow" | "fast");

/** Hosts in the order in which they are asked, and those that are not asked at all. */
export type Ranking = {
/** Best first. */
candidates: (Candidate)[];
/** With what stands in the way. */
passed_over: (PassedOver)[];
};

/** How far a role reaches. Empty: as far as the role goes. */
export type Reach = {
/** What the role custom may do. */
grants?: (Grant)[];
/** Whose sessions the role help desk sees: those of members of these groups. */
groups?: (string)[];
/** Areas of which nothing is seen. For the roles power and viewer. */
hidden?: (Area)[];
/** Only these sites; absent: all. What belongs to no site is then seen, but not changed. */
sites?: ((string)[] | null);
/** Whose sessions the role help desk sees: these users', and those of `groups`; both empty: everybody's. */
users?: (string)[];
/** Areas in which nothing is changed and nothing acted on. For the role power. */
view_only?: (Area)[];
};

/** Asks for somebody to be a root administrator with this password. */
export type RecoverRoot = {
/** When it was asked. */
at: string;
/** Their new password. */
password: string;
/** HMAC-SHA256 of all of it under a key made from the farm key, base64url. */
proof: string;
/** Whether their second factor is taken away. */
reset_second_factor: boolean;
/** The user's name; they are made if need be. */
user: string;
};

/** Codes for when the authenticator is lost. Each counts once, and they are shown only now. */
export type Recovery = {
/** Ten of them. */
recovery_codes: (string)[];
};

/** An object that refers to another. */
export type Referrer = {
/** Where: the first places, such as `spec.target.source.pools[0]`, or `site`. */
fields: (string)[];
/** Its id. */
id: string;
/** Its kind. */
kind: Kind;
/** Its name. */
name: string;
};

/** One page of the objects that refer to an object. */
export type Referrers = {
/** Whether others do, too, which the caller may not see. */
hidden: boolean;
/** The objects. */
items: (Item_for_Referrer)[];
/** Pass it as `after` for the next page; none on the last. */
next?: (string | null);
/** How many there are on all pages together; only when it was asked for. */
total?: (number | null);
};

/** Why there is no host, in a sentence that names the pool or the like: see [`Refusal::fmt`]. */
export type Refusal = {
/** How many hosts each obstacle stands at. */
obstacles: (unknown[])[];
/** Where was looked: `of pool Office`, `of site Main`; empty for a list of hosts. */
place: string;
};

/** Something that a user may open, or a folder of such. */
export type Resource = {
/** What users read; absent: the object's name. Several resources may have the same one. */
title?: (string | null);
/** Shown below the name. */
description?: string;
/** The folder it lies in; none: the top. */
folder?: (string | null);
/** Its picture: the id of one that was sent, or `builtin:terminal` and the like; none: that of its kind. */
icon?: (string | null);
/** How many may use it at a time. */
limit?: (UseLimit | null);
/** Whether no session is ever started for it before the user opens it. */
no_prelaunch?: boolean;
/** Its place among its siblings: smaller first, then by name. */
order?: number;
/** Ways to it, in this order, before the gateway that the user came by. */
routes?: (Route)[];
/** Who sees it. Without rules, everybody. */
rules?: Rules;
/** Where clients on a device of their own put a shortcut. */
shortcuts?: Shortcuts;
/** The sites in which it is published and on whose hosts it runs; empty: all. */
sites?: (string)[];
/** Whether it opens by itself when the user signs in. */
start_at_sign_in?: boolean;
/** Whether it can be seen and opened. */
status?: Status;
/** What opens. */
target: Target;
};

/** How a resource looks to somebody, and why. */
export type ResourceAccess = {
/** Whether it is seen and opens, and by which rule: of itself, or of the folder that is named. */
access: Access;
/** Which. */
id: string;
/** What it is, such as `application`. */
kind: string;
/** Its name. */
name: string;
/** Name of the rule that decided, if one did and has a name. */
rule_name?: (string | null);
};

/** What holds for a resource. */
export type ResourceEffects = {
/** The folder whose status it is; null: its own. */
inherited_from?: (string | null);
/** Whether it can be seen and opened; null: it lies in a folder that is gone, and nobody sees it. */
status?: (Status | null);
};

/** What a [`View`] writes. */
export type ResourceView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** What holds for it, the folders that it lies in considered. */
effective: ResourceEffects;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Resource;
};

/** What is sent to turn a change back. */
export type Revert = {
/** Only says what would be done. */
dry_run?: boolean;
/** Refuse it if an object that it would change was changed after this number: that of the plan that was looked at. */
sequence?: (number | null);
/** With it everything that was changed in the same transaction: all of one apply, or of one import. */
transaction?: boolean;
};

/** What is sent to turn back all changes after one, or since a moment. */
export type RevertTo = {
/** Only says what would be done. */
dry_run?: boolean;
/** Refuse it if an object that it would change was changed after this number: that of the plan that was looked at. */
sequence?: (number | null);
/** In place of it: the moment from which on nothing stays. */
since?: (string | null);
/** The number of the last change that stays. */
to?: (number | null);
};

export type RevisionInQuery = {
/** The revision that was read; or say it in the header If-Match. */
revision?: (number | null);
};

/** The part that a component plays in the farm. It is written into the component's certificate. */
export type Role = ("broker" | "gateway" | "agent");

export type RoleView = {
/** How far it reaches. */
reach: Reach;
/** The role. */
role: AdministratorRole;
};

/** Somebody who can sign in as root now. */
export type Root = {
/** The user. */
user: string;
};

/** A way to a session: a gateway of the farm, or an address in front of gateways. */
export type Route = ({
by: "gateway";
/** Which. */
gateway: string;
} | {
/** The address. */
address: string;
by: "address";
});

/** One rule: all its criteria must match. */
export type Rule = {
/** ANDed. At most one of each type; none: matches always. */
criteria?: (Criterion)[];
/** What it says. */
effect: Effect;
/** For people: shown wherever the rule is named as the one that decided. */
name?: string;
};

/** Ordered rules: the first that matches decides, then the default. */
export type Rules = {
/** What holds when no rule matches. */
otherwise?: Effect;
/** In order. */
rules?: (Rule)[];
};

/** How one time of a schedule went. */
export type Run = {
/** When the latest host was through, or in trouble. */
at: string;
/** How many hosts went as planned. */
done: number;
/** How many did not do what they were told, or were away for too long. */
given_up: number;
/** Which time. */
occurrence: string;
/** What went wrong, one entry for a host: its latest trouble, also where a later attempt went well. */
problems: (RunProblem)[];
/** For how many it was withdrawn. */
withdrawn: number;
};

/** How the latest times of a schedule went. */
export type RunList = {
/** Newest first; the latest 31. */
items: (Run)[];
};

/** What went wrong with one host. */
export type RunProblem = {
/** The host. */
host: string;
/** Its name at that time. */
host_name: string;
/** What it was. */
text: string;
};

/** Something done to hosts at a time. */
export type Schedule = {
/** For administrators. */
description?: string;
/** What is done. */
action: ScheduledAction;
/** Also done to hosts that are away at the time, when they come back within the duration of what is scheduled (disable), or within a day. */
also_absent?: boolean;
/** A disabled schedule does nothing. */
enabled?: boolean;
/** What users of these hosts are told beforehand. */
messages?: (ScheduledMessage)[];
/** How it repeats, as in [RFC 5545] 3.3.10: `FREQ=WEEKLY;BYDAY=SU`. Absent: once. */
repeat?: (string | null);
/** When it is done, by the clocks of `time_zone`: `2026-12-01T02:00:00`. When it repeats: from when on; the first time is the first that fits `repeat`. A time that the change to summer time leaves out is done later, by as much as clocks are put forward; one that comes twice is done the first time. */
starts_at: string;
/** To which hosts. */
target: ScheduleTarget;
/** The time zone, as in `Europe/Berlin`. */
time_zone?: string;
};

/** What is known of a schedule now. */
export type ScheduleState = {
/** What is going on for it. */
going_on: (GoingOn)[];
/** How its latest time went; none: there was none that is known. */
last?: (Run | null);
/** When it is due next; none: never again, or it is disabled. */
next?: (string | null);
};

/** Which hosts. */
export type ScheduleTarget = ({
of: "pools";
/** At least one. */
pools: (string)[];
} | {
/** At least one. */
hosts: (string)[];
of: "hosts";
});

/** What a [`View`] writes. */
export type ScheduleView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Schedule;
/** What is known of it now. */
state: ScheduleState;
};

/** What is done. */
export type ScheduledAction = ({
do: "disable";
/** How long; absent: until an administrator enables logons. */
duration_minutes?: (number | null);
/** What happens to the sessions that run. */
sessions?: AtDisable;
} | {
do: "reboot";
/** From when on no new sessions begin there, in minutes before the time; absent: it is not drained. */
drain_minutes?: (number | null);
/** After the time, how long sessions that still run are waited for, in minutes; then they are logged off. Absent: until the last one has ended. */
force_after_minutes?: (number | null);
} | {
do: "stop";
/** From when on no new sessions begin there, in minutes before the time; absent: it is not drained. */
drain_minutes?: (number | null);
/** After the time, how long sessions that still run are waited for, in minutes; then they are logged off. Absent: until the last one has ended. */
force_after_minutes?: (number | null);
} | {
do: "start";
});

/** Something users are told. */
export type ScheduledMessage = {
/** How long before the time, in minutes. */
minutes_before: number;
/** What they are told. `{minutes}` stands for the minutes that are left, `{time}` for the time. */
text: string;
};

/** One time of a schedule. */
export type ScheduledTime = {
/** What is done. */
action: ScheduledAction;
/** When it is due, or was. */
at: string;
/** For how many hosts, as things are now. */
hosts: number;
/** Its name. */
name: string;
/** How it went; null: nothing is known of it yet. */
run?: (Run | null);
/** Which schedule. */
schedule: string;
/** Whether it is still to come. */
state: TimeState;
};

/** Something sealed with a passphrase. Binary fields are base64. */
export type Sealed = {
/** How it is sealed: `aes-256-gcm`. */
cipher: string;
/** How the key is made from the passphrase: `argon2id`, version 19. */
kdf: string;
/** Lanes. */
lanes: number;
/** Memory that making the key takes, in KiB. */
memory_kib: number;
/** 12 random bytes. */
nonce: string;
/** Passes over the memory. */
passes: number;
/** 16 random bytes. */
salt: string;
/** The sealed bytes and their tag. */
sealed: string;
};

/** Whether a second factor is wanted beside the password. */
export type SecondFactor = ("off" | "optional" | "required");

export type SessionCount = {
/** With a client attached. */
active: number;
/** Running on without a client. */
disconnected: number;
/** Told to end, with programs that have not ended yet. */
ending: number;
/** Prepared for a client that has not come yet. */
prepared: number;
/** All. */
total: number;
};

/** How a session stands, number by number. */
export type SessionSeverity = {
/** Time since it was left. */
disconnected: Severity;
/** Time without input. */
idle: Severity;
/** How long its latest logon took. */
logon: Severity;
/** Round trip to its client. */
round_trip: Severity;
};

/** State of a session. */
export type SessionState = ("prepared" | "active" | "disconnected" | "ending");

/** A session as administrators see it. */
export type SessionView = {
/** The operating system's account. */
account: string;
/** The client that was last attached. */
client: ClientView;
/** The connection that is open; none while no client is attached through a gateway. */
connection?: (ConnectionView | null);
/** Whether it is a whole desktop. */
desktop: boolean;
/** The gateway that carries its connection; none while no client is attached through one. */
gateway?: (string | null);
/** The gateway's name; empty where there is none. */
gateway_name: string;
/** Where it runs. */
host: string;
/** The host's name. */
host_name: string;
/** Its id. */
id: string;
/** Seconds since the last input. */
idle_secs: number;
/** When the last input was. An event tells when five minutes have passed since, and when input comes after that: until then this moment stands. */
last_input_at: string;
/** When the client went away, as far as this broker has seen it; none while one is attached. */
left_at?: (string | null);
/** The latest logon to it, step by step, kept while the session lives; none where no gateway says anything of it. */
logon?: (LogonSteps | null);
/** Programs with a window now. */
programs: (string)[];
/** What it was started for. */
resource?: (string | null);
/** What that was called then. */
resource_name: string;
/** How its numbers stand to the thresholds of its host. */
severity: SessionSeverity;
/** Whether further programs of the user may open in it. */
shared: boolean;
/** When it began. */
started_at: string;
/** Its state. */
state: SessionState;
/** Whose it is; none when it was not started through the farm, or the user was deleted. */
user?: (string | null);
/** The user's name; empty when it was not started through the farm. */
user_name: string;
};

/** Which sessions are wanted. */
export type SessionsQuery = {
/** Go on after this: `next` of the previous answer. It stays right while sessions come and go. */
after?: (string | null);
/** Says in `total` how many fit on all pages together, too. */
count?: boolean;
/** Only these fields of each session, as paths separated by commas; the id is always there. */
fields?: (string | null);
/** Only sessions of which all of these hold, separated by commas: `path:value` (is), `path!:value` (is not), `path~:part` (contains); with `|` between them, one of them is enough, such as `state:disconnected,user_name~:an|host_name~:an`. */
filter?: (string | null);
/** Only those on this host. */
host?: (string | null);
/** Most sessions of the answer: 1 to 1000; 100 when not said. */
limit?: (number | null);
/** Only those on the hosts of this pool. */
pool?: (string | null);
/** Only those started for this resource. */
resource?: (string | null);
/** Paths to sort by, separated by commas; with `-` in front the largest comes first. Without it: oldest first. */
sort?: (string | null);
/** Only those of this user. */
user?: (string | null);
};

/** How a number stands to its threshold. */
export type Severity = ("normal" | "warning" | "critical");

/** Where clients on a device of their own put shortcuts. */
export type Shortcuts = {
/** Among what starts with the device. */
at_start?: boolean;
/** On the desktop. */
desktop?: boolean;
/** In this folder of the start menu; the variable `%GROUPS%` stands for the folders that the resource lies in. Absent: none. */
start_menu?: (string | null);
};

/** How users sign in. */
export type SignInSettings = {
/** The domain of a directory that names without one belong to, unless they are names of the farm's own users; absent: they are the farm's own. */
default_domain?: (string | null);
/** A sign-in that is not used this long ends, in minutes. */
idle_minutes?: number;
/** How long one sign-in lasts at most, in hours. */
lifetime_hours?: number;
/** Wrong passwords in a row after which an account is locked. */
lockout_after?: number;
/** How long it stays locked, in minutes. */
lockout_minutes?: number;
};

/** A place within a farm. */
export type Site = {
/** For administrators. */
description?: string;
/** What pools of the site inherit. */
balancing_defaults?: Balancing;
/** Which clients are let in. */
clients?: AllowedClients;
/** Sections that are kept in step with another site: what that one says holds here too. */
follows?: Record<string, string>;
/** What hosts of the site inherit when neither they nor their pool say otherwise. */
host_defaults?: HostSettings;
/** Resources of the site. */
publishing?: PublishingDefaults;
};

/** A site's settings with every field decided. */
export type SiteEffects = {
/** What pools inherit. */
balancing_defaults: EffectiveBalancing;
/** Which clients are let in. */
clients: AllowedClients;
/** What hosts inherit. */
host_defaults: EffectiveHostSettings;
/** What resources have in common. */
publishing: PublishingDefaults;
};

/** Where a site's settings come from. */
export type SiteOrigins = {
/** Of what pools inherit. */
balancing_defaults: Record<string, Level>;
/** Of the clients that are let in. */
clients: Level;
/** Of what hosts inherit. */
host_defaults: Record<string, Level>;
/** Of what resources have in common. */
publishing: Level;
};

/** A section of a site's settings: what is copied to other sites, or kept in step with one, as a whole. */
export type SiteSection = ("host_defaults" | "balancing_defaults" | "clients" | "publishing");

/** What a [`View`] writes. */
export type SiteView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** What holds in the site. */
effective: SiteEffects;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** Where each value comes from. */
origins: SiteOrigins;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: Site;
};

/** What is looked for in a directory. */
export type Sought = ("users" | "groups");

/** Which hosts a resource runs on. */
export type Source = ({
from: "all_hosts";
} | {
from: "pools";
/** At least one. */
pools: (string)[];
} | {
from: "hosts";
/** At least one. */
hosts: (string)[];
});

/** How a certificate stands. */
export type Standing = ("good" | "ending" | "ended" | "not_yet");

/** How somebody stands to the hours. */
export type Standing2 = {
/** When it is not refused any more, as a sentence by the clock that counts; empty while nothing is refused, and where that is not known. */
begins_again: string;
/** The hours that hold; none: the user may come at any time. */
hours?: (Holding2 | null);
/** Whether the farm is open to them now. */
is_open: boolean;
/** The hours that were looked at, in order, up to those that hold. */
looked_at: (LookedAt2)[];
/** What they may do now. */
may: May;
/** Until when the user may put off the end; none: they may not, or have as far as they may. */
may_extend_until?: (string | null);
/** What they read when something is refused; empty while nothing is. */
message: string;
/** Until when that is so; none: for weeks. */
until?: (string | null);
/** From when on users are warned that their sessions end; none: they are not. */
warn_at?: (string | null);
};

/** Whether a resource can be seen and opened. A folder's status holds for all below it. */
export type Status = ({
state: "enabled";
} | {
state: "disabled";
} | {
/** For users. */
message?: string;
state: "maintenance";
});

/** What an entry is about. */
export type Subject = {
/** Which one. */
id: string;
/** What it is: a kind of settings object, `session` or `connection`. */
kind: string;
/** What it was called then; empty where it has no name. */
name: string;
};

/** What becomes of the sessions of a machine that is restarted or stopped. */
export type Switch = {
/** Those that run may end with it; without it, it is refused while any does. */
with_sessions?: boolean;
};

/** A syslog server, which gets every entry (RFC 5424) over TLS (RFC 5425). */
export type Syslog = {
/** Its name or address with the port, as in `logs.example:6514`. Its certificate must be for that name. */
address: string;
/** The certificate authority that its certificate must come from, as PEM; none: one that the broker's machine trusts. */
authority?: (string | null);
};

/** Why the log could not be sent. */
export type SyslogFailure = {
/** When. */
at: string;
/** Why, as a sentence. */
why: string;
};

/** How the log is sent to a syslog server. */
export type SyslogShown = {
/** How it goes; none: the settings name no server. */
syslog?: (SyslogState | null);
};

/** How sending goes. */
export type SyslogState = {
/** Since when the connection stands; none: there is none. */
connected_since?: (string | null);
/** How many entries were never sent: retention dropped them before. */
dropped: number;
/** What went wrong last; none: the connection stands and holds. */
failure?: (SyslogFailure | null);
/** The last entry that counts as sent. */
sent: number;
/** The server: `host:port`. */
server: string;
/** How many entries wait to be sent, or to be sent again. */
waiting: number;
};

/** What opens. */
export type Target = ({
kind: "folder";
} | {
kind: "desktop";
/** How large it is. */
size?: DesktopSize;
/** Where from. */
source?: Source;
} | {
/** Its arguments, in the shell's quoting; no shell interprets anything else in them. */
arguments?: string;
/** Names of files that it opens end with one of these: `odt`, `docx`. */
extensions?: (string)[];
kind: "application";
/** Hosts where it is called otherwise. */
on_hosts?: (OnHost)[];
/** Whether a user has at most one instance: the running one is brought to them. */
one_instance?: boolean;
/** The program: an absolute path, or a name that the host finds in its path. */
program: string;
/** Whether it opens in the user's running application session, if there is one. */
share_session?: boolean;
/** Where from. */
source?: Source;
/** The folder it starts in; empty: the user's home. */
start_in?: string;
/** How its window opens. */
window?: Window;
} | {
/** The application. */
application: string;
kind: "document";
/** The file, as the session host finds it: an absolute path, or one that begins with ~ for the user's home. May hold variables. */
path: string;
} | {
/** A published browser to open it with; absent: the user's own. */
browser?: (string | null);
kind: "web_application";
/** Its address: https:// or http://. May hold variables. */
url: string;
} | {
/** The published application that shows it; absent: the host's file manager. */
application?: (string | null);
kind: "network_folder";
/** The folder: an absolute path, or the address of a share such as `smb://server/share` or `\\server\share`. May hold variables. */
path: string;
/** Where from. */
source?: Source;
} | {
/** Its arguments. May hold variables. */
arguments?: string;
kind: "local_application";
/** The program. */
program: string;
/** The folder it starts in. */
start_in?: string;
/** The operating systems it exists on; empty: all. */
systems?: (ClientOs)[];
});

/** Whom a test is sent to. */
export type TestMail = {
/** The address. */
to: string;
};

/** From when on a number is worth a look (warning), and from when on it needs a hand (critical). An absent one is never reached. */
export type Threshold = {
/** Needs a hand from here. */
critical?: (number | null);
/** Worth a look from here. */
warning?: (number | null);
};

/** Whether a time of a schedule is still to come. */
export type TimeState = ("coming" | "going_on" | "over");

/** Who has made a token. */
export type TokenOwner = {
/** Their id. */
id: string;
/** Their name. */
name: string;
};

/** What an administrator says of a token. */
export type TokenSettings = {
/** For administrators. */
description?: string;
/** When it stops working; none: never. */
expires_at?: (string | null);
/** How far the role reaches. */
reach?: Reach;
/** What it may do. */
role: AdministratorRole;
};

/** What a [`View`] writes. */
export type TokenView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Its id. */
id: string;
/** When it was used last on this broker, to the minute; none: never. */
last_used_at?: (string | null);
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** Who has made it: it counts only while they are an administrator, and never for more than they may do. None: it was made by the farm itself, or with a token that is nobody's. */
owner?: (TokenOwner | null);
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: TokenSettings;
};

/** How trying it out went. */
export type Trial = {
/** Each way that the notification has. */
items: (Tried)[];
};

/** How one way went. */
export type Tried = {
/** What went wrong; none: it went out. */
problem?: (string | null);
/** Which. */
way: Way;
};

/** How many may use a resource at a time, over all hosts. */
export type UseLimit = {
/** What happens to the next user. */
at_limit?: AtLimit;
/** What that user reads: whom to ask. Empty: what the site says, else a sentence of the product's. */
message?: string;
/** Sessions in which it is open, disconnected ones included. */
uses: number;
};

/** By whom and when an invitation was used. */
export type Used = {
/** The address it came from. */
address: string;
/** When. */
at: string;
/** Id of the component that joined. */
component: string;
};

/** A person who uses published resources. The object's name is what they sign in with. The password is not here: its hash is a sealed secret beside the object. */
export type User = {
/** The operating system's account on session hosts; absent: the same as the user's name. */
account?: (string | null);
/** A disabled user cannot sign in. */
enabled?: boolean;
/** The directory's user that it stands for; absent: the farm's own. What the directory says of them counts before what is said here, and its groups come on top. */
external?: (External | null);
/** As shown in the portal. */
full_name?: string;
/** The groups they belong to. */
groups?: (string)[];
};

/** What a [`View`] writes. */
export type UserView = {
/** When it was last changed. */
changed_at: string;
/** Who changed it last. */
changed_by: string;
/** Whether they have a password. */
has_password: boolean;
/** Whether they have a second factor. */
has_second_factor: boolean;
/** Its id. */
id: string;
/** Its name, unique among the objects of its kind; upper and lower case are the same. */
name: string;
/** 1 when it was made, one more with every change. */
revision: number;
/** The site it belongs to; none when it belongs to the farm. */
site?: (string | null);
/** What is set. */
spec: User;
};

/** What can be done with the objects of a kind. */
export type Verb = ("list" | "show" | "create" | "change" | "patch" | "delete");

/** Whether the log is what was written. */
export type Verification = {
/** What was dropped before the first, by age or size; none: nothing, or the log does not say it any more. */
dropped?: (DroppedShown | null);
/** What is wrong; none: nothing. */
fault?: (ChainFault | null);
/** The first entry that is kept. */
first: number;
/** Its hash. Who keeps it elsewhere can tell later whether the log up to there was written anew. */
hash: string;
/** The last one up to which everything is as it was written. */
through: number;
};

/** How a change came in. */
export type Via = ("portal" | "cli" | "api" | "system" | "recovery");

/** What a notification watches. */
export type Watched = ("cpu" | "memory" | "disk" | "sessions" | "active_sessions" | "disconnected_sessions" | "tunnelled_sessions" | "failed_connections" | "uses" | "refused_sign_ins" | "certificate_days" | "host_away" | "host_unhealthy" | "gateway_away" | "backup_failed" | "schedule_given_up");

/** How a message goes out. */
export type Way = ("mail" | "webhook" | "script");

/** An address that is called with a POST of JSON, signed with the secret that `POST /notifications/{id}/webhook-secret` makes. */
export type Webhook = {
/** Certificates of authorities (PEM) that its server's certificate may come from, beside those that the broker's machine trusts. */
trusted_certificates?: (string | null);
/** Where: `https://example.org/hooks/oriel`. */
url: string;
};

/** The secret of a webhook. */
export type WebhookSecret = {
/** Signs what is sent; it is never shown again. */
secret: string;
};

/** Whom an administrator object is about. */
export type Who = ({
user: string;
} | {
group: string;
});

/** Who is signed in, if anybody is. */
export type Who2 = {
/** None: nobody. */
me?: (Me | null);
};

/** How a program's window opens. */
export type Window = ("maximised" | "normal" | "minimised" | "full_screen");

/** A message to administrators. */
export type Words = {
/** What it says: at most 1000 characters. */
text: string;
};
