//! The router: the component with which a node picks where it sends, whatever its kind.
//!
//! Nodes of several kinds have one, so that it lies in a table for each kind: it is reached by kind and row.

use std::ops::Range;
use std::sync::Arc;

use bevy_ecs::change_detection::ContiguousMut;
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::{Choice, LoadFeedback, LoadWindow, Pick, Policy, PolicySpec, RoutingQuery};
use crate::engine::random::RandomStream;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, PerKind};
use crate::model::build::Builder;
use crate::model::metric::{Limit, PERCEIVED_LOAD, UTILIZATION};
use crate::model::names::NamedGroup;
use crate::model::part::Part;
use crate::model::{Destinations, Target};
use crate::request::ReportedLoad;

/// How a node routes.
#[derive(Component, Clone, Debug)]
pub struct Router {
    /// The node itself.
    node: Node,
    policy: Policy,
    /// What the policy wants to know of loads, if it listens to them.
    feedback: Option<LoadFeedback>,
    /// What it picks from (at least one).
    to: Destinations,
    /// The stream that it draws from.
    stream: RandomStream,
}

impl Router {
    /// The routers of the members of an entry that sends `to` these, with windows for what they remember of loads.
    /// `purpose` names their random streams.
    pub fn build(
        builder: &mut Builder<'_>,
        entry: &NamedGroup,
        policy: &PolicySpec,
        to: &[String],
        purpose: &str,
    ) -> Vec<(Self, LoadWindow)> {
        let destinations = builder.destinations(entry, to);
        let router = |(member, to): (usize, Destinations)| {
            let reporters = to.targets.iter().map(Target::node).filter(|node| node.kind().reports_load());
            let window = LoadWindow::of(reporters);
            let router = Self {
                node: entry.node(member),
                policy: policy.policy(to.targets.len()),
                feedback: policy.load_feedback(),
                to,
                stream: builder.stream(&entry.members[member], purpose),
            };
            (router, window)
        };
        destinations.into_iter().enumerate().map(router).collect()
    }

    /// What it picks from.
    #[must_use]
    pub const fn targets(&self) -> &Arc<[Target]> {
        &self.to.targets
    }
}

/// The routers as a system reaches them.
#[derive(SystemParam)]
pub struct Routers<'w, 's> {
    rows: Query<'w, 's, (&'static mut Router, &'static mut LoadWindow)>,
}

impl Routers<'_, '_> {
    /// Borrows the columns of routers, kind by kind, for a tick.
    ///
    /// # Panics
    /// If the routers of a kind lie in several tables: their nodes are spawned with the same components.
    pub fn view(&mut self) -> RoutersView<'_> {
        let mut of_kind: PerKind<Columns<'_>> = PerKind::default();
        let tables = self.rows.contiguous_iter_mut().expect("components on hot paths are in table storage");
        for (routers, windows) in tables {
            let routers = ContiguousMut::bypass_change_detection_split(routers).0;
            let windows = ContiguousMut::bypass_change_detection_split(windows).0;
            let Some(kind) = routers.first().map(|router| router.node.kind()) else { continue };
            assert!(of_kind[kind].routers.is_empty(), "all nodes of a kind lie in one table");
            of_kind[kind] = Columns { routers, windows };
        }
        RoutersView { of_kind }
    }
}

/// The routers of a kind of node and what they remember of loads.
#[derive(Debug, Default)]
struct Columns<'a> {
    routers: &'a mut [Router],
    windows: &'a mut [LoadWindow],
}

/// The routers as handlers reach them.
#[derive(Debug)]
pub struct RoutersView<'a> {
    of_kind: PerKind<Columns<'a>>,
}

impl RoutersView<'_> {
    /// Picks a target for a request with this key: the choice, the target, and number of the sender's first return hop.
    #[inline(always)]
    pub(in crate::model) fn choose<P: Part>(
        &mut self,
        row: Row<P>,
        key: u32,
        now: SimTime,
    ) -> (Choice, Target, u32) {
        let Columns { routers, windows } = &mut self.of_kind[P::KIND];
        let router = &mut routers[row.index()];
        let ask = RoutingQuery { key, targets: &router.to.targets, now };
        let choice = router.policy.pick(ask, &mut windows[row.index()], &mut router.stream);
        (choice, router.to.targets[choice.target], router.to.first_hop)
    }

    /// A response tells a node what the load of another one is.
    #[inline]
    pub fn report<P: Part>(&mut self, row: Row<P>, of: Node, load: ReportedLoad, now: SimTime) {
        let Columns { routers, windows } = &mut self.of_kind[P::KIND];
        if let Some(feedback) = &routers[row.index()].feedback {
            windows[row.index()].report(of, load, now, feedback.window);
        }
    }

    /// The next requests of the nodes in some rows are routed like this. What is remembered of loads stays; as long as loads
    /// do not matter none is listened to.
    #[cold]
    pub fn set_policy<P: Part>(&mut self, rows: Range<u32>, policy: &PolicySpec) {
        for row in rows.map(Row::<P>::new) {
            let router = &mut self.of_kind[P::KIND].routers[row.index()];
            router.policy = policy.policy(router.to.targets.len());
            router.feedback = policy.load_feedback();
        }
    }

    /// What a node takes the load of another one to be: from 0 to 1, nothing if it does not listen. Reports that are too
    /// old are dropped first.
    pub fn estimate(&mut self, node: Node, of: Node, now: SimTime) -> Option<f64> {
        let Columns { routers, windows } = &mut self.of_kind[node.kind()];
        let feedback = routers.get(node.row() as usize)?.feedback?;
        let window = windows.get_mut(node.row() as usize)?;
        Some(window.expire_and_estimate(of, now, feedback.window).share())
    }
}

/// What a node sends by, and to whom, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Routing<'a> {
    /// Its policy.
    pub policy: &'a PolicySpec,
    /// Names of its targets.
    pub to: &'a [String],
}

impl Routing<'_> {
    /// The limits that it acts upon, if `owner` routes like this.
    #[must_use]
    pub fn limits(self, owner: &str) -> Vec<Limit> {
        let limit = |threshold, metric| Limit {
            metric,
            owner: owner.to_owned(),
            value: threshold,
            meaning: "seems overloaded",
        };
        let feedback = self.policy.load_feedback().into_iter();
        feedback
            .flat_map(|of| [&UTILIZATION, &PERCEIVED_LOAD].map(|metric| limit(of.threshold, metric)))
            .collect()
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! What the tests of policies share.

    use super::super::{Choice, RoutingQuery};
    use super::{Node, Row, SimTime, Target};
    use crate::event::NodeKind;

    /// A node that reports its load.
    pub(crate) fn node(row: u32) -> Node {
        let kind = NodeKind::ALL.into_iter().find(|kind| kind.reports_load()).expect("some kind does");
        Node::new(kind, row)
    }

    /// What is picked for a key among so many targets.
    pub(crate) fn ask(key: u32, targets: u32, pick: impl FnOnce(RoutingQuery<'_>) -> Choice) -> Choice {
        let targets: Vec<Target> = (0..targets).map(|row| Target::new(node(row), Row::NONE, 0)).collect();
        pick(RoutingQuery { key, targets: &targets, now: SimTime::from_nanos(1) })
    }
}
