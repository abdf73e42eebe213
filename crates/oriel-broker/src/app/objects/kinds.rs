//! What is particular to single kinds, beyond the common mechanism.

use oriel_model::{
    Id, Object, broker::Broker as BrokerSpec, farm::Farm, group::Group, logon_hours::LogonHours,
    policy::Policy, pool::Pool, resource::Resource, schedule::Schedule, site::Site, validate::Mistakes,
};

use super::{Managed, references};
use crate::{Broker, farm::FarmView};

/// A kind that is shown as it is stored.
macro_rules! shown_as_stored {
    () => {
        type View = Object<Self>;

        fn show(_: &Broker, _: &FarmView, object: &Object<Self>) -> Object<Self> {
            object.clone()
        }
    };
}

impl Managed for Farm {
    shown_as_stored!();
}

impl Managed for BrokerSpec {
    shown_as_stored!();
}

impl Managed for Pool {
    shown_as_stored!();
}

impl Managed for Group {
    shown_as_stored!();
}

impl Managed for Policy {
    shown_as_stored!();
}

impl Managed for LogonHours {
    shown_as_stored!();
}

impl Managed for Schedule {
    shown_as_stored!();
}

impl Managed for Site {
    shown_as_stored!();

    fn check(&self, view: &FarmView, id: Option<Id<Self>>, mistakes: &mut Mistakes) {
        references::followed_sites(view, id, self, mistakes);
    }

    fn kept_by(view: &FarmView, _: Id<Self>) -> Vec<String> {
        if view.sites.len() == 1 { vec!["the farm, whose last site it is".into()] } else { Vec::new() }
    }
}

impl Managed for Resource {
    shown_as_stored!();

    fn check(&self, view: &FarmView, id: Option<Id<Self>>, mistakes: &mut Mistakes) {
        references::folder(view, id, self, mistakes);
        references::opens_in(view, &self.target, mistakes);
    }
}
