//! Changes: what a scenario announces to happen to its parts at given moments, such as a server that goes down.
//!
//! What can be set of a part, and what that does to it, stands in the part's room; the moment itself is an event like any
//! other.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::parts::Setting;
use super::references::References;
use crate::engine::time::SimDuration;
use crate::event::NodeRange;

/// A change as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSpec {
    /// When it happens: before everything else of this moment, and in the order in which changes of one moment are written.
    pub at: SimDuration,
    /// What changes: a source, a node or a group, or a list of them.
    pub of: References,
    /// What is set.
    pub set: Setting,
}

/// A change, ready to happen.
#[derive(Clone, Debug)]
pub struct Change {
    /// What changes.
    pub of: Vec<NodeRange>,
    /// What is set.
    pub set: Setting,
}

/// All changes of a run, by the rows that events name.
#[derive(Resource, Clone, Debug, Default)]
pub struct Changes(pub Vec<Change>);
