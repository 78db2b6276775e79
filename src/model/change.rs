//! Changes of settings at given times, as scheduled in a scenario, such as a server that goes down.
//!
//! The module of each part defines its settings and their effects. A change is an event in the queue like any other.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::parts::Setting;
use super::references::References;
use crate::engine::time::SimDuration;
use crate::event::NodeRange;

/// A change as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSpec {
    /// Time of the change. It precedes all other events at that time; changes at the same time are applied in the order
    /// of the scenario.
    pub at: SimDuration,
    /// The source, node or group to change, or a list of them.
    pub of: References,
    /// The new value of the setting.
    pub set: Setting,
}

/// A change with its references resolved to nodes.
#[derive(Clone, Debug)]
pub struct Change {
    /// The nodes to change.
    pub of: Vec<NodeRange>,
    /// The new value of the setting.
    pub set: Setting,
}

/// All changes of a run. Events refer to them by row.
#[derive(Resource, Clone, Debug, Default)]
pub struct Changes(pub Vec<Change>);
