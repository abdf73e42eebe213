//! What is particular to single kinds, beyond the common mechanism.

use std::borrow::Cow;

use oriel_model::{
    Id, Object,
    broker::Broker as BrokerSpec,
    directory::External,
    farm::Farm,
    group::Group,
    logon_hours::LogonHours,
    notification::Notification,
    policy::Policy,
    schedule::Schedule,
    site::Site,
    validate::{Mistake, Mistakes},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{ChangeError, EffectiveSite, Managed, Nothing, references};
use crate::{
    Broker, app::administrators::Caller, farm::FarmView, notifications::NotificationState,
    schedules::ScheduleState,
};

/// A kind of which all is shown and taken.
macro_rules! whole {
    () => {
        type Shown = Self;
        type New = super::New<Self>;
        type Made = super::View<Self>;

        fn shown(&self) -> std::borrow::Cow<'_, Self> {
            std::borrow::Cow::Borrowed(self)
        }

        fn said(sent: Self, _: &Self) -> Self {
            sent
        }

        async fn make(
            broker: &crate::Broker,
            by: &crate::app::administrators::Caller,
            new: super::New<Self>,
        ) -> Result<super::View<Self>, super::ChangeError> {
            super::create(broker, by, new).await
        }
    };
}
pub(super) use whole;

/// A kind of which nothing is known beside what is set.
macro_rules! shown_as_stored {
    () => {
        whole!();

        type Beside = Nothing;

        fn beside(_: &Broker, _: &FarmView, _: &Object<Self>) -> Nothing {
            Nothing {}
        }
    };
}

impl Managed for Farm {
    shown_as_stored!();

    fn kept_by(_: &Object<Self>, _: &FarmView) -> Vec<String> {
        vec!["everything in it".into()]
    }
}

impl Managed for BrokerSpec {
    shown_as_stored!();
}

impl Managed for Group {
    type Shown = Self;
    type Beside = Nothing;
    type New = super::New<Self>;
    type Made = super::View<Self>;

    fn shown(&self) -> Cow<'_, Self> {
        Cow::Borrowed(self)
    }

    /// Which group of a directory it stands for is said once, when it is chosen there.
    fn said(sent: Self, now: &Self) -> Self {
        Self { external: now.external.clone(), ..sent }
    }

    fn beside(_: &Broker, _: &FarmView, _: &Object<Self>) -> Nothing {
        Nothing {}
    }

    async fn make(broker: &Broker, by: &Caller, new: super::New<Self>) -> Result<Self::Made, ChangeError> {
        not_made_here(new.spec.external.as_ref())?;
        super::create(broker, by, new).await
    }
}

/// A group or a user of a directory is chosen there; nobody claims to be one.
pub(super) fn not_made_here(external: Option<&External>) -> Result<(), ChangeError> {
    let message = "is set by choosing somebody from a directory: POST /directories/{id}/adopt".to_owned();
    let mistake = Mistake { field: "spec.external".to_owned(), message };
    external.map_or(Ok(()), |_| Err(ChangeError::Invalid(vec![mistake])))
}

impl Managed for Policy {
    shown_as_stored!();
}

impl Managed for LogonHours {
    shown_as_stored!();
}

/// What is shown of a schedule beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScheduleFacts {
    /// What is known of it now.
    pub state: ScheduleState,
}

impl Managed for Schedule {
    whole!();

    type Beside = ScheduleFacts;

    fn beside(broker: &Broker, _: &FarmView, object: &Object<Self>) -> ScheduleFacts {
        ScheduleFacts { state: broker.schedule_state(object.id, &object.spec) }
    }

    fn check(&self, _: &FarmView, _: Id<Self>, _: Option<&Self>, mistakes: &mut Mistakes) {
        oriel_rules::schedule::check(self, mistakes);
    }
}

/// What is shown of a notification beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NotificationFacts {
    /// What is known of it now.
    pub state: NotificationState,
}

impl Managed for Notification {
    whole!();

    type Beside = NotificationFacts;

    fn beside(broker: &Broker, _: &FarmView, object: &Object<Self>) -> NotificationFacts {
        NotificationFacts { state: broker.notifications.state(object.id) }
    }
}

impl Managed for Site {
    whole!();

    type Beside = EffectiveSite;

    fn beside(_: &Broker, view: &FarmView, object: &Object<Self>) -> EffectiveSite {
        EffectiveSite::of(view, object)
    }

    fn check(&self, view: &FarmView, id: Id<Self>, _: Option<&Self>, mistakes: &mut Mistakes) {
        references::followed_sites(view, id, self, mistakes);
    }

    fn kept_by(_: &Object<Self>, view: &FarmView) -> Vec<String> {
        if view.sites.is_empty() { vec!["the farm, whose last site it is".into()] } else { Vec::new() }
    }
}
