//! Finding people and groups by what they are called.
//!
//! Servers page through what they find on one connection, and sort if at all by rules of their own. A page
//! here is found anew each time, sorted here, and begins behind the entry that the one before ended with: it
//! may be asked of any server, at any time.

use super::{
    Cursor, Found, Kind, LdapDirectory, NotAsked, Page, Schema, active_directory as ad,
    filter::Filter,
    message::{Scope, Search},
    open_ldap,
};
use oriel_model::validate::fold;

/// Matches of one search at most. Whoever looks for somebody among more types one more letter.
pub const MATCHES_MAX: usize = 1_000;
/// Matches of one page at most.
pub const FOUND_MAX: usize = 200;
/// Characters that are looked for at most.
const TEXT_MAX: usize = 100;
/// Identifiers that one question holds at most.
const BATCH: usize = 50;

impl LdapDirectory {
    /// People or groups of which a name begins with `text`, sorted by account; all of them for an empty text.
    /// `limit` is at most [`FOUND_MAX`].
    pub async fn search(
        &self,
        kind: Kind,
        text: &str,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, NotAsked> {
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect();
        let names = match &self.settings.schema {
            Schema::ActiveDirectory => ad::names(kind).to_vec(),
            Schema::OpenLdap(names) => open_ldap::names(names, kind),
        };
        let mut filter = vec![self.all(kind)];
        if !text.is_empty() {
            filter.push(Filter::Or(names.into_iter().map(|name| Filter::begins(name, &text)).collect()));
        }
        let (mut found, is_cut) = self.found(kind, Filter::And(filter), MATCHES_MAX).await?;
        found.sort_by_cached_key(key);
        let begin = after.map_or(0, |after| found.partition_point(|found| key(found) <= after.0));
        let mut rest = found.split_off(begin);
        let limit = limit.clamp(1, FOUND_MAX);
        let next = (rest.len() > limit).then(|| Cursor(key(&rest[limit - 1])));
        rest.truncate(limit);
        Ok(Page { found: rest, next, is_cut })
    }

    /// Those of these identifiers that are still there, in any order: names for what rules remember. At most
    /// [`FOUND_MAX`] are looked up.
    pub async fn named(&self, kind: Kind, ids: &[String]) -> Result<Vec<Found>, NotAsked> {
        let mut all = Vec::new();
        for ids in ids[..ids.len().min(FOUND_MAX)].chunks(BATCH) {
            let wanted = ids.iter().map(|id| match &self.settings.schema {
                Schema::ActiveDirectory => ad::by_id(id),
                Schema::OpenLdap(names) => open_ldap::by_id(names, id),
            });
            let filter = Filter::And(vec![self.all(kind), Filter::Or(wanted.collect())]);
            all.append(&mut self.found(kind, filter, BATCH).await?.0);
        }
        Ok(all)
    }

    fn all(&self, kind: Kind) -> Filter {
        match (&self.settings.schema, kind) {
            (Schema::ActiveDirectory, Kind::Users) => ad::people(),
            (Schema::ActiveDirectory, Kind::Groups) => ad::groups(),
            (Schema::OpenLdap(names), Kind::Users) => open_ldap::people(names),
            (Schema::OpenLdap(names), Kind::Groups) => open_ldap::groups(names),
        }
    }

    async fn found(&self, kind: Kind, filter: Filter, limit: usize) -> Result<(Vec<Found>, bool), NotAsked> {
        let settings = &self.settings;
        let base = settings.base_dn.as_str();
        let (base, attributes) = match (&settings.schema, kind) {
            (Schema::ActiveDirectory, Kind::Users) => (base, ad::PERSON.to_vec()),
            (Schema::ActiveDirectory, Kind::Groups) => (base, ad::GROUP.to_vec()),
            (Schema::OpenLdap(names), Kind::Users) => {
                (names.users_dn.as_deref().unwrap_or(base), open_ldap::person_attributes(names))
            }
            (Schema::OpenLdap(names), Kind::Groups) => {
                (names.groups_dn.as_deref().unwrap_or(base), open_ldap::group_attributes(names))
            }
        };
        let search = Search { base, scope: Scope::Subtree, filter, attributes, limit };
        let matches = self.look(&search).await?;
        let found = matches.entries.iter().filter_map(|entry| match &settings.schema {
            Schema::ActiveDirectory => ad::found(settings, kind, entry),
            Schema::OpenLdap(names) => open_ldap::found(settings, names, kind, entry),
        });
        Ok((found.collect(), matches.is_cut))
    }
}

/// Where an entry is in the alphabet: by account, and by identifier where two have the same.
fn key(found: &Found) -> String {
    format!("{} {}", fold(&found.account), found.id)
}
