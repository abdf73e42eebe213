//! The kinds that need nothing beyond the common mechanism.

use oriel_model::{
    Id, Object,
    broker::Broker as BrokerSpec,
    farm::Farm,
    group::Group,
    pool::Pool,
    resource::{Resource, Source},
    rule::Matcher,
    site::Site,
    validate::Mistakes,
};

use super::{Managed, references};
use crate::{
    Broker,
    farm::{FarmView, Objects},
};

/// A kind that is shown as it is stored.
macro_rules! shown_as_stored {
    ($objects:ident) => {
        type View = Object<Self>;

        fn all(view: &FarmView) -> &Objects<Self> {
            &view.$objects
        }

        fn show(_: &Broker, _: &FarmView, object: &Object<Self>) -> Object<Self> {
            object.clone()
        }
    };
}

impl Managed for Farm {
    shown_as_stored!(farms);
}

impl Managed for BrokerSpec {
    shown_as_stored!(brokers);
}

impl Managed for Site {
    shown_as_stored!(sites);

    fn used_by(view: &FarmView, id: Id<Self>) -> Vec<String> {
        let mut found = Vec::new();
        in_site(&view.brokers, id, &mut found);
        in_site(&view.gateways, id, &mut found);
        in_site(&view.pools, id, &mut found);
        in_site(&view.hosts, id, &mut found);
        in_site(&view.groups, id, &mut found);
        in_site(&view.users, id, &mut found);
        in_site(&view.resources, id, &mut found);
        in_site(&view.tokens, id, &mut found);
        in_site(&view.invitations, id, &mut found);
        if view.sites.len() == 1 {
            found.push("the farm, whose last site it is".into());
        }
        found
    }
}

fn in_site<S: Managed>(objects: &Objects<S>, site: Id<Site>, found: &mut Vec<String>) {
    let objects = objects.sorted();
    found.extend(objects.iter().filter(|object| object.site == Some(site)).map(|o| references::named(o)));
}

impl Managed for Pool {
    shown_as_stored!(pools);

    fn used_by(view: &FarmView, id: Id<Self>) -> Vec<String> {
        references::of_pool(view, id)
    }
}

impl Managed for Group {
    shown_as_stored!(groups);

    fn used_by(view: &FarmView, id: Id<Self>) -> Vec<String> {
        let mut found = references::users_among(&view.users, |user| user.groups.contains(&id));
        found.extend(references::resources_with(
            view,
            |m| matches!(m, Matcher::Group(ids) if ids.contains(&id)),
        ));
        found
    }
}

impl Managed for Resource {
    shown_as_stored!(resources);

    fn check(&self, view: &FarmView, id: Option<Id<Self>>, mistakes: &mut Mistakes) {
        references::folder(view, id, self, mistakes);
        if let Some(source) = self.target.source() {
            mistakes.within("target", |m| references::source(view, source, m));
        }
        mistakes.within("rules", |m| references::rules(view, &self.rules, m));
    }

    fn used_by(view: &FarmView, id: Id<Self>) -> Vec<String> {
        references::users_among(&view.resources, |resource| resource.folder == Some(id))
    }
}

/// Whether a resource names this host by itself.
pub(super) fn names_host(source: &Source, id: Id<oriel_model::host::Host>) -> bool {
    matches!(source, Source::Hosts { hosts } if hosts.contains(&id))
}
