//! Copying sections of a site's settings to other sites, once or kept in step.

use std::sync::Arc;

use oriel_model::{
    Id,
    site::{Site, SiteSection},
    validate::Mistakes,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Plan, Refused,
    draft::Draft,
    plan::{Ready, carry_out},
};
use crate::{Broker, app::administrators::Caller, farm::FarmView};

/// What is sent to copy sections of a site's settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopySections {
    /// Which sections; at least one.
    pub sections: Vec<SiteSection>,
    /// The sites that get them; at least one.
    pub to: Vec<Id<Site>>,
    /// Whether they follow from now on: what this site says then holds there too, whenever it is changed.
    #[serde(default)]
    pub keep_in_step: bool,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Sites of one call at most.
const SITES_MAX: usize = 1_000;

/// Makes sections of other sites say what those of `from` say, in one transaction.
pub async fn copy_sections(
    broker: &Arc<Broker>,
    by: &Caller,
    from: Id<Site>,
    copy: CopySections,
) -> Result<Plan, Refused> {
    let dry_run = copy.dry_run;
    carry_out(broker, by, dry_run, move |view| Ok(Ready::from(draft(view, from, &copy)?))).await
}

fn draft(view: Arc<FarmView>, from: Id<Site>, copy: &CopySections) -> Result<Draft, Refused> {
    if view.sites.get(from).is_none() {
        return Err(Refused::NoSuchSite);
    }
    let mut mistakes = Mistakes::default();
    for (field, is_empty) in [("sections", copy.sections.is_empty()), ("to", copy.to.is_empty())] {
        if is_empty {
            mistakes.add(field, "must not be empty");
        }
    }
    if copy.to.len() > SITES_MAX {
        mistakes.add("to", format!("has more than {SITES_MAX} entries"));
        return Err(mistakes.into());
    }
    let mut draft = Draft::new(view.clone());
    let mut seen = std::collections::HashSet::new();
    for (index, to) in copy.to.iter().enumerate() {
        let place = format!("to[{index}]");
        match view.sites.get(*to) {
            _ if *to == from => mistakes.add(&place, "is the site that is copied from"),
            _ if !seen.insert(*to) => mistakes.add(&place, "stands here twice"),
            None => mistakes.add(&place, "does not exist"),
            Some(site) => {
                let mut changed = (**site).clone();
                for section in &copy.sections {
                    take(&view, from, *section, copy.keep_in_step, &mut changed.spec);
                }
                if changed.spec == site.spec {
                    draft.keep(&place, oriel_model::Kind::Site, to.cast(), &site.name);
                } else {
                    draft.put(&place, changed);
                }
            }
        }
    }
    let found = mistakes.into_vec();
    if found.is_empty() { Ok(draft) } else { Err(Refused::Invalid(found)) }
}

/// One section: what holds at `from`, which may itself follow another site.
fn take(view: &FarmView, from: Id<Site>, section: SiteSection, keep_in_step: bool, to: &mut Site) {
    let Some(said) = view.section_of(from, section) else { return };
    section.copy(&said.spec, to);
    if keep_in_step {
        to.follows.insert(section, said.id);
    } else {
        to.follows.remove(&section);
    }
}
