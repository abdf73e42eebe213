//! Directories of people elsewhere, as settings objects.

use oriel_model::{
    Id, Object,
    directory::Directory,
    validate::{Mistakes, fold},
};

use super::{Managed, Nothing, kinds::whole};
use crate::{Broker, farm::FarmView};

impl Managed for Directory {
    whole!();

    type Beside = Nothing;

    fn beside(_: &Broker, _: &FarmView, _: &Object<Self>) -> Nothing {
        Nothing {}
    }

    /// Two directories with one domain: nobody could say which a name belongs to.
    fn check(&self, view: &FarmView, id: Id<Self>, _: Option<&Self>, mistakes: &mut Mistakes) {
        for other in view.directories.iter().filter(|other| other.id != id) {
            let (name, spec) = (&other.name, &other.spec);
            if fold(&spec.domain) == fold(&self.domain) {
                mistakes.add("domain", format!("is that of directory \"{name}\" already"));
            }
            let short = |spec: &Self| spec.netbios_name.as_deref().map(fold);
            if short(self).is_some() && short(self) == short(spec) {
                mistakes.add("netbios_name", format!("is that of directory \"{name}\" already"));
            }
        }
    }
}
