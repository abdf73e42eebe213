//! Who edits what at the moment, so that two people at one object know of each other. A lease of a minute that
//! the page renews: who closes it is gone by themselves, and a broker that was restarted hears it anew. It
//! locks nothing; that a change is not lost, revisions see to.

use std::{collections::BTreeMap, sync::Mutex};

use jiff::SignedDuration;
use oriel_model::{
    Id, Kind, Timestamp,
    permission::{Action, Target},
};
use oriel_store::SignIn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Caller, Forbidden, Rights, Source, messages::own_session};
use crate::{Broker, app::objects::ChangeError, hosts::lock};

/// How long a lease lasts.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Leases at most; the one that ends first goes.
const LEASES_MAX: usize = 1_000;

/// A settings object, of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: Id<Value>,
}

/// Somebody who edits an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Editor {
    /// As the change log names them: `user anna`.
    pub name: String,
    /// Their sign-in; none for a token.
    pub session: Option<Id<SignIn>>,
    /// Since when.
    pub since: Timestamp,
}

/// An object that somebody edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Editing {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: Id<Value>,
    /// Its name.
    pub name: String,
    /// Who edits it, whoever began first before the others.
    pub by: Vec<Editor>,
}

#[derive(Debug)]
struct Lease {
    holder: Source,
    editor: Editor,
    until: Timestamp,
}

/// Who edits what.
#[derive(Debug, Default)]
pub struct Leases(Mutex<BTreeMap<Edited, Vec<Lease>>>);

impl Leases {
    fn renew(&self, object: Edited, by: &Caller, now: Timestamp) {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let mut all = lock(&self.0);
        forget(&mut all, |lease| lease.until <= now);
        if let Some(own) =
            all.get_mut(&object).and_then(|all| all.iter_mut().find(|one| one.holder == by.source))
        {
            own.until = until;
            return;
        }
        if all.values().map(Vec::len).sum::<usize>() >= LEASES_MAX {
            let first = all.values().flatten().map(|lease| lease.until).min();
            forget(&mut all, |lease| Some(lease.until) == first);
        }
        let editor = Editor { name: by.name().to_owned(), session: own_session(by), since: now };
        all.entry(object).or_default().push(Lease { holder: by.source, editor, until });
    }

    fn end(&self, object: Edited, holder: Source) {
        let mut all = lock(&self.0);
        if let Some(leases) = all.get_mut(&object) {
            leases.retain(|lease| lease.holder != holder);
        }
        all.retain(|_, leases| !leases.is_empty());
    }

    fn at(&self, now: Timestamp) -> Vec<(Edited, Vec<Editor>)> {
        let mut all = lock(&self.0);
        forget(&mut all, |lease| lease.until <= now);
        all.iter()
            .map(|(object, leases)| (*object, leases.iter().map(|one| one.editor.clone()).collect()))
            .collect()
    }
}

fn forget(all: &mut BTreeMap<Edited, Vec<Lease>>, is_over: impl Fn(&Lease) -> bool) {
    for leases in all.values_mut() {
        leases.retain(|lease| !is_over(lease));
    }
    all.retain(|_, leases| !leases.is_empty());
}

impl Broker {
    /// Every object that somebody edits now.
    pub fn edited(&self) -> Vec<Editing> {
        let view = self.farm.load();
        let all = self.leases.at(self.now()).into_iter();
        // What was deleted meanwhile is edited no more.
        let named = all.filter_map(|(Edited { kind, id }, by)| {
            let name = view.name_of(kind, id)?.to_owned();
            Some(Editing { kind, id, name, by })
        });
        named.collect()
    }

    /// Notes, for a minute, that the caller edits an object; gives who else does.
    ///
    /// # Errors
    ///
    /// There is no such object that the caller sees, or they may not change it.
    pub fn edit(&self, by: &Caller, object: Edited) -> Result<Editing, ChangeError> {
        let Edited { kind, id } = object;
        let view = self.farm.load();
        let site = view.site_of_object(kind, id);
        let name = view.name_of(kind, id).filter(|_| by.rights.sees_any(kind, id, site));
        let name = name.ok_or(ChangeError::NotFound(kind))?.to_owned();
        if !may_change(&by.rights, kind, id, site) {
            return Err(Forbidden(format!("change {kind} \"{name}\"")).into());
        }
        self.leases.renew(object, by, self.now());
        let editors = self.leases.at(self.now()).into_iter().find(|(one, _)| *one == object);
        Ok(Editing { kind, id, name, by: editors.map(|(_, by)| by).unwrap_or_default() })
    }

    /// Notes that the caller edits an object no more.
    pub fn stop_editing(&self, by: &Caller, object: Edited) {
        self.leases.end(object, by.source);
    }
}

fn may_change(rights: &Rights, kind: Kind, id: Id<Value>, site: Option<Id<oriel_model::site::Site>>) -> bool {
    let site = if kind == Kind::Site { Some(id.cast()) } else { site };
    rights.on(Action::Modify, &Target { kind, id: Some(id), site })
}
