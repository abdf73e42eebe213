//! Directories of people elsewhere, as settings objects.

use oriel_model::{
    Id, Object,
    directory::Directory,
    validate::{Mistakes, fold},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Managed, kinds::whole};
use crate::{Broker, directories::DirectoryState, farm::FarmView};

/// What is shown of a directory beside what is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryFacts {
    /// Whether the service account's password is set, for the account and the servers of now.
    pub has_password: bool,
    /// How it stood when this broker asked it last.
    pub state: DirectoryState,
}

impl Managed for Directory {
    whole!();

    type Beside = DirectoryFacts;

    fn beside(broker: &Broker, view: &FarmView, object: &Object<Self>) -> DirectoryFacts {
        let password = view.bind_passwords.get(&object.id);
        DirectoryFacts {
            has_password: password.is_some_and(|password| password.of(&object.spec).is_some()),
            state: broker.directories.standing(object.id),
        }
    }

    /// Two directories with one domain: nobody could say which a name belongs to.
    fn check(&self, view: &FarmView, id: Id<Self>, _: Option<&Self>, mistakes: &mut Mistakes) {
        for other in view.directories.iter().filter(|other| other.id != id) {
            let (name, spec) = (&other.name, &other.spec);
            if fold(&spec.domain) == fold(&self.domain) {
                mistakes.add("domain", format!("is that of directory \"{name}\" already"));
            }
            if spec.account_suffix == self.account_suffix {
                let message = format!(
                    "is that of directory \"{name}\" already: people of one name in both would share an account \
                     on session hosts"
                );
                mistakes.add("account_suffix", message);
            }
            let short = |spec: &Self| spec.netbios_name.as_deref().map(fold);
            if short(self).is_some() && short(self) == short(spec) {
                mistakes.add("netbios_name", format!("is that of directory \"{name}\" already"));
            }
        }
    }
}
