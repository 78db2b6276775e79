//! What the faults in effect do to a part.

use crate::engine::random::{Draw, RandomStream};
use crate::model::part::FaultEdge;

/// The effects of one kind that the faults in effect have on a part. Each is taken away when its own fault ends.
#[derive(Clone, Debug)]
pub struct Effects<T>(Vec<(u32, T)>);

impl<T> Effects<T> {
    /// No effects.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds the effect of a fault that begins, or takes away that of one that ends.
    pub fn toggle(&mut self, edge: FaultEdge, effect: impl FnOnce() -> T) {
        match edge {
            FaultEdge::Begins(fault) => self.0.push((fault, effect())),
            FaultEdge::Ends(fault) => {
                if let Some(at) = self.0.iter().position(|(number, _)| *number == fault) {
                    self.0.remove(at);
                }
            }
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The effects, in the order in which their faults began.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, effect)| effect)
    }

    /// The effects with the numbers of their faults, likewise.
    pub fn numbered_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        self.0.iter_mut().map(|(fault, effect)| (*fault, effect))
    }
}

impl<T> Default for Effects<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Effects<f64> {
    /// Whether something happens to which each effect gives a chance. Every effect draws, so that one does not change the
    /// random numbers of another.
    pub fn any_happens(&self, stream: &mut RandomStream) -> bool {
        self.iter().filter(|probability| stream.chance(**probability)).count() > 0
    }

    /// The product of all effects.
    #[must_use]
    pub fn product(&self) -> f64 {
        self.iter().product()
    }
}
