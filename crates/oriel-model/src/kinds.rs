//! The list of kinds: the one place where a kind of settings object is named.
//!
//! A row says the variant of [`crate::Kind`], its spec, its word, its plural (which is its path in the
//! REST API and its field in a broker's memory), the area of administration it belongs to, and what it
//! is, for people. The store's checks, the
//! broker's memory, REST routes, command line, export and audit are made from these rows.

/// Hands every kind of settings object to the macro `$rows`, in the order in which objects may refer
/// to each other: what a row's objects refer to stands above it.
#[macro_export]
macro_rules! every_kind {
    ($rows:ident) => {
        $rows! {
            Farm, $crate::farm::Farm, "farm", farms, Infrastructure, "The farm itself: what holds for the whole installation";
            Site, $crate::site::Site, "site", sites, Infrastructure, "A place within the farm, with its own brokers, gateways and hosts";
            Broker, $crate::broker::Broker, "broker", brokers, Infrastructure, "A service that decides";
            Gateway, $crate::gateway::Gateway, "gateway", gateways, Infrastructure, "A service that carries user connections";
            Pool, $crate::pool::Pool, "pool", pools, Hosts, "Session hosts that are interchangeable for placement";
            Host, $crate::host::Host, "host", hosts, Hosts, "A machine that can run sessions";
            Directory, $crate::directory::Directory, "directory", directories, Directory, "People and groups that are kept elsewhere: Active Directory or OpenLDAP";
            Group, $crate::group::Group, "group", groups, Directory, "A group of users";
            User, $crate::user::User, "user", users, Directory, "A person who uses published resources";
            Resource, $crate::resource::Resource, "resource", resources, Publishing, "Something that users may open, or a folder of such";
            Policy, $crate::policy::Policy, "policy", policies, Publishing, "Client settings, with rules for whom they apply";
            LogonHours, $crate::logon_hours::LogonHours, "logon_hours", logon_hours, Publishing, "When whom the farm is open to";
            Schedule, $crate::schedule::Schedule, "schedule", schedules, Hosts, "Something done to hosts at a time, once or again and again";
            Notification, $crate::notification::Notification, "notification", notifications, Infrastructure, "Tells people when something happens in the farm";
            Token, $crate::token::Token, "token", tokens, Administrators, "What scripts and the command line identify themselves with";
            Administrator, $crate::administrator::Administrator, "administrator", administrators, Administrators, "A user or a group who may manage the farm";
            Invitation, $crate::invitation::Invitation, "invitation", invitations, Infrastructure, "Lets a component join the farm";
        }
    };
}
