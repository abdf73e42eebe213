//! Settings of which one holds for somebody, in their order.

use std::{fmt, ops::Deref, sync::Arc};

use oriel_rules::ordered::{Ordered, Ruled};

use super::Objects;

/// All settings of one kind in their order with their rules compiled: made anew when one of them changes.
pub struct InOrder<S: Ruled> {
    ordered: Arc<Ordered<S>>,
    made_from: Arc<Objects<S>>,
}

impl<S: Ruled> InOrder<S> {
    /// Makes it say what `objects` say.
    pub(super) fn follow(&mut self, objects: &Arc<Objects<S>>) {
        if !Arc::ptr_eq(&self.made_from, objects) {
            self.ordered = Arc::new(Ordered::new(objects.iter().cloned()));
            self.made_from = objects.clone();
        }
    }
}

impl<S: Ruled> Deref for InOrder<S> {
    type Target = Ordered<S>;

    fn deref(&self) -> &Ordered<S> {
        &self.ordered
    }
}

impl<S: Ruled> Default for InOrder<S> {
    fn default() -> Self {
        Self { ordered: Arc::default(), made_from: Arc::default() }
    }
}

impl<S: Ruled> Clone for InOrder<S> {
    fn clone(&self) -> Self {
        Self { ordered: self.ordered.clone(), made_from: self.made_from.clone() }
    }
}

impl<S: Ruled> fmt::Debug for InOrder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.ordered, f)
    }
}
