//! The tables of every kind of object, in one place.

use oriel_model::Kind;

use super::output::Column;

const NAME: Column = Column::plain("NAME", "/name");
const ENABLED: Column = Column::plain("ENABLED", "/spec/enabled");
const DESCRIPTION: Column = Column::plain("DESCRIPTION", "/spec/description");
const ORDER: Column = Column::plain("ORDER", "/spec/order");
const FOR: Column = Column::rules("FOR", "/spec/rules");
const SITE: Column = Column::plain("SITE", "/site").wide();
const CHANGED: Column = Column::plain("CHANGED", "/changed_at").wide();
const BY: Column = Column::plain("BY", "/changed_by").wide();
const ID: Column = Column::plain("ID", "/id").wide();

/// The table of a kind.
pub fn of(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Farm => const { &[NAME, Column::plain("REVISION", "/revision"), CHANGED, BY, ID] },
        Kind::Site | Kind::Group => const { &[NAME, DESCRIPTION, CHANGED, BY, ID] },
        Kind::Broker => {
            const {
                &[
                    NAME,
                    Column::plain("FOR GATEWAYS", "/spec/gateway_addresses"),
                    Column::plain("FOR AGENTS", "/spec/agent_addresses"),
                    SITE,
                    ID,
                ]
            }
        }
        Kind::Gateway => {
            const {
                &[
                    NAME,
                    ENABLED,
                    Column::plain("REACHABLE", "/state/reachable"),
                    Column::plain("CONNECTIONS", "/state/connections"),
                    Column::plain("VERSION", "/state/version"),
                    Column::plain("PUBLIC ADDRESS", "/spec/public_address"),
                    Column::plain("CERTIFICATE UNTIL", "/state/certificate/not_after"),
                    Column::plain("CERTIFICATE", "/state/certificate/standing"),
                    DESCRIPTION.wide(),
                    SITE,
                    ID,
                ]
            }
        }
        Kind::Directory => {
            const {
                &[
                    NAME,
                    ENABLED,
                    Column::plain("KIND", "/spec/kind"),
                    Column::plain("DOMAIN", "/spec/domain"),
                    Column::plain("SHORT NAME", "/spec/netbios_name"),
                    Column::plain("STANDING", "/state/standing"),
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Administrator => {
            const {
                &[
                    NAME,
                    ENABLED,
                    Column::plain("ROLE", "/spec/role"),
                    Column::plain("USER", "/spec/who/user"),
                    Column::plain("GROUP", "/spec/who/group"),
                    Column::plain("EMAIL", "/spec/email"),
                    DESCRIPTION,
                    Column::plain("SITES", "/spec/reach/sites").wide(),
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Pool => {
            const {
                &[
                    NAME,
                    ENABLED,
                    Column::plain("HOSTS", "/state/hosts"),
                    Column::plain("OPEN", "/state/open"),
                    Column::plain("SESSIONS", "/state/sessions"),
                    Column::plain("PLACES", "/state/places"),
                    Column::share("CPU", "/state/cpu_load"),
                    Column::plain("BALANCING", "/spec/balancing/method").wide(),
                    Column::plain("MAX SESSIONS", "/spec/settings/max_sessions"),
                    Column::plain("ACCOUNTS", "/spec/settings/accounts").wide(),
                    DESCRIPTION,
                    SITE,
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Host => {
            const {
                &[
                    NAME,
                    Column::plain("POOL", "/spec/pool"),
                    Column::plain("REACHABLE", "/state/reachable"),
                    Column::plain("LOGONS", "/spec/logon_mode"),
                    Column::plain("SESSIONS", "/state/sessions"),
                    Column::plain("LIMIT", "/effective/max_sessions"),
                    Column::share("CPU", "/state/cpu_load"),
                    Column::bytes("FREE MEMORY", "/state/memory_available_bytes"),
                    Column::bytes("FREE DISK", "/state/disk_available_bytes").wide(),
                    Column::plain("AGENT", "/state/agent_version"),
                    Column::plain("PROBLEM", "/state/problem"),
                    Column::seconds("UP FOR", "/state/uptime_secs").wide(),
                    Column::plain("SYSTEM", "/state/operating_system").wide(),
                    Column::plain("ADDRESS", "/state/rdp_address").wide(),
                    SITE,
                    ID,
                ]
            }
        }
        Kind::User => {
            const {
                &[
                    NAME,
                    Column::plain("FULL NAME", "/spec/full_name"),
                    ENABLED,
                    Column::plain("PASSWORD", "/has_password"),
                    Column::plain("SECOND FACTOR", "/has_second_factor").wide(),
                    Column::plain("GROUPS", "/spec/groups"),
                    Column::plain("ACCOUNT", "/spec/account").wide(),
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Resource => {
            const {
                &[
                    NAME,
                    Column::plain("KIND", "/spec/target/kind"),
                    Column::plain("FOLDER", "/spec/folder"),
                    Column::plain("STATUS", "/spec/status/state"),
                    FOR,
                    Column::plain("PROGRAM", "/spec/target/program").wide(),
                    Column::plain("LIMIT", "/spec/limit/uses").wide(),
                    Column::plain("SITES", "/spec/sites").wide(),
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Policy => const { &[NAME, ENABLED, ORDER, FOR, DESCRIPTION, CHANGED, BY, ID] },
        Kind::LogonHours => {
            const {
                &[
                    NAME,
                    ENABLED,
                    ORDER,
                    FOR,
                    Column::plain("TIME ZONE", "/spec/clock/time_zone"),
                    Column::plain("DISCONNECT", "/spec/outside/disconnect"),
                    DESCRIPTION,
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Notification => {
            const {
                &[
                    NAME,
                    ENABLED,
                    Column::plain("EVENT", "/spec/event"),
                    Column::plain("DIRECTION", "/spec/threshold/direction"),
                    Column::plain("VALUE", "/spec/threshold/value"),
                    Column::plain("LASTING", "/state/lasting"),
                    Column::plain("LAST SENT", "/state/last_sent"),
                    Column::plain("WAITING", "/state/waiting"),
                    Column::plain("PROBLEM", "/state/failure/why").wide(),
                    DESCRIPTION.wide(),
                    SITE,
                    ID,
                ]
            }
        }
        Kind::Schedule => {
            const {
                &[
                    NAME,
                    ENABLED,
                    Column::plain("DOES", "/spec/action/do"),
                    Column::plain("POOLS", "/spec/target/pools"),
                    Column::plain("HOSTS", "/spec/target/hosts"),
                    Column::plain("STARTS", "/spec/starts_at"),
                    Column::plain("TIME ZONE", "/spec/time_zone"),
                    Column::plain("REPEATS", "/spec/repeat"),
                    Column::plain("NEXT", "/state/next"),
                    DESCRIPTION.wide(),
                    ID,
                ]
            }
        }
        Kind::Token => {
            const {
                &[
                    NAME,
                    Column::plain("ROLE", "/spec/role"),
                    Column::plain("UNTIL", "/spec/expires_at"),
                    Column::plain("LAST USED", "/last_used_at"),
                    Column::plain("OWNER", "/owner/name"),
                    DESCRIPTION,
                    Column::plain("SITES", "/spec/reach/sites").wide(),
                    CHANGED,
                    BY,
                    ID,
                ]
            }
        }
        Kind::Invitation => {
            const {
                &[
                    NAME,
                    Column::plain("FOR", "/spec/role"),
                    Column::plain("STATE", "/state"),
                    Column::plain("UNTIL", "/spec/expires_at"),
                    Column::plain("POOL", "/spec/pool"),
                    Column::plain("USED FROM", "/spec/used/address"),
                    ID,
                ]
            }
        }
    }
}

/// Sessions.
pub const SESSIONS: &[Column] = &[
    Column::plain("USER", "/user_name"),
    Column::plain("RESOURCE", "/resource_name"),
    Column::plain("HOST", "/host_name"),
    Column::plain("STATE", "/state"),
    Column::plain("SINCE", "/started_at"),
    Column::seconds("IDLE", "/idle_secs"),
    Column::millis("ROUND TRIP", "/connection/round_trip_ms"),
    Column::plain("PROGRAMS", "/programs"),
    Column::plain("CLIENT", "/client/address"),
    Column::plain("GATEWAY", "/gateway_name").wide(),
    Column::plain("KBIT/S DOWN", "/connection/kbits_to_client").wide(),
    Column::plain("KBIT/S UP", "/connection/kbits_to_host").wide(),
    Column::millis("LOGON", "/logon/total_ms").wide(),
    Column::plain("ACCOUNT", "/account").wide(),
    Column::plain("ID", "/id"),
];

/// Administrators who are signed in.
pub const ADMINISTRATOR_SESSIONS: &[Column] = &[
    Column::plain("USER", "/user_name"),
    Column::plain("FROM", "/address"),
    Column::plain("SINCE", "/since"),
    Column::plain("ACTIVE", "/active_at"),
    Column::plain("BROWSER", "/browser").wide(),
    Column::plain("ID", "/id"),
];

/// How the times of a schedule went.
pub const RUNS: &[Column] = &[
    Column::plain("TIME", "/occurrence"),
    Column::plain("THROUGH", "/at"),
    Column::plain("DONE", "/done"),
    Column::plain("GIVEN UP", "/given_up"),
    Column::plain("WITHDRAWN", "/withdrawn"),
    Column::plain("PROBLEMS", "/problems"),
];

/// Times of all schedules.
pub const TIMES: &[Column] = &[
    Column::plain("TIME", "/at"),
    Column::plain("SCHEDULE", "/name"),
    Column::plain("ACTION", "/action/do"),
    Column::plain("HOSTS", "/hosts"),
    Column::plain("STATE", "/state"),
    Column::plain("DONE", "/run/done"),
    Column::plain("GIVEN UP", "/run/given_up"),
    Column::plain("ID", "/schedule").wide(),
];

/// What refers to an object.
pub const REFERRERS: &[Column] = &[
    Column::plain("KIND", "/kind"),
    Column::plain("NAME", "/name"),
    Column::plain("WHERE", "/fields"),
    Column::plain("ID", "/id").wide(),
];

/// Processes of a session.
pub const PROCESSES: &[Column] = &[
    Column::plain("PID", "/process_id"),
    Column::plain("NAME", "/name"),
    Column::share("CPU", "/cpu_load"),
    Column::bytes("MEMORY", "/memory_bytes"),
    Column::plain("SINCE", "/started_at"),
    Column::plain("COMMAND", "/command_line"),
];

/// Programs installed on a host.
pub const PROGRAMS: &[Column] = &[
    Column::plain("APP ID", "/id"),
    Column::plain("NAME", "/name"),
    Column::plain("PROGRAM", "/program"),
    Column::plain("COMMENT", "/comment"),
];

/// Built-in icons.
pub const ICONS: &[Column] = &[Column::plain("NAME", "/name"), Column::plain("FOR", "/about")];

/// Backups.
pub const BACKUPS: &[Column] =
    &[Column::plain("NAME", "/name"), Column::plain("MADE", "/made_at"), Column::bytes("SIZE", "/bytes")];

/// The servers of a directory, as a check found them.
pub const DIRECTORY_SERVERS: &[Column] = &[
    Column::plain("SERVER", "/server"),
    Column::plain("WORKS", "/works"),
    Column::plain("NAME", "/name"),
    Column::millis("TOOK", "/took_ms"),
    Column::plain("PROBLEM", "/why"),
];

/// People or groups that were found in a directory.
pub const FOUND: &[Column] = &[
    Column::plain("NAME", "/name"),
    Column::plain("FULL NAME", "/full_name"),
    Column::plain("CHOSEN AS", "/object"),
    Column::plain("EXTERNAL", "/external"),
    Column::plain("DN", "/dn").wide(),
];

/// The ways that a notification was tried.
pub const TRIED: &[Column] = &[Column::plain("WAY", "/way"), Column::plain("PROBLEM", "/problem")];
