//! The router: the component of a node that picks targets for requests by a policy.
//!
//! Several kinds of nodes have routers. Their components are in one ECS table per kind, so routers are accessed by kind
//! and row.

use std::ops::Range;
use std::sync::Arc;

use bevy_ecs::change_detection::ContiguousMut;
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::target_lists::TargetLists;
use super::{Choice, LoadFeedback, LoadWindow, Pick, Policy, PolicySpec, RoutingQuery};
use crate::engine::random::RandomStream;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, PerKind, RequestRow};
use crate::model::build::Builder;
use crate::model::metric::{Limit, PERCEIVED_LOAD, UTILIZATION};
use crate::model::names::NamedGroup;
use crate::model::part::Part;
use crate::model::trace::Passage;
use crate::model::{Destinations, Target};
use crate::request::ReportedLoad;

/// The router of a node: its policy, targets and random stream.
#[derive(Component, Clone, Debug)]
pub struct Router {
    /// The node itself.
    node: Node,
    policy: Policy,
    /// Whether the policy has to know when requests end.
    counts_requests: bool,
    /// Whether the policy has to know when requests arrive.
    notes_arrivals: bool,
    /// How the policy uses reported loads, or `None` if it ignores them.
    feedback: Option<LoadFeedback>,
    /// The targets, at least one.
    to: Destinations,
    /// If targets come and go: the list of those that are there, in [`TargetLists`].
    list: Option<u32>,
    /// The random stream of the policy.
    stream: RandomStream,
}

impl Router {
    /// The routers of the members of an entry that sends to the nodes and groups `to`, with windows for reported loads.
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
            let policy_in_run = policy.policy();
            let router = Self {
                node: entry.node(member),
                counts_requests: policy_in_run.counts_requests(),
                notes_arrivals: policy_in_run.notes_arrivals(),
                policy: policy_in_run,
                list: builder.target_list(&to.targets),
                feedback: policy.load_feedback(),
                to,
                stream: builder.stream(&entry.members[member], purpose),
            };
            (router, window)
        };
        destinations.into_iter().enumerate().map(router).collect()
    }

    /// Whether its targets come and go, so that there may be none.
    #[must_use]
    pub const fn may_have_no_target(&self) -> bool {
        self.list.is_some()
    }

    /// Number of requests that its policy counts as outstanding; 0 if it does not count them.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.policy.outstanding()
    }

    /// The targets, including those that are not there.
    #[must_use]
    pub const fn targets(&self) -> &Arc<[Target]> {
        &self.to.targets
    }
}

/// All routers, as a system parameter.
#[derive(SystemParam)]
pub struct Routers<'w, 's> {
    rows: Query<'w, 's, (&'static mut Router, &'static mut LoadWindow)>,
    lists: ResMut<'w, TargetLists>,
}

impl Routers<'_, '_> {
    /// Borrows the columns of routers, kind by kind, for a tick.
    ///
    /// # Panics
    /// If the routers of a kind are in several tables, that is, if nodes of a kind have different components.
    pub fn view(&mut self) -> RoutersView<'_> {
        let mut of_kind: PerKind<Columns<'_>> = PerKind::default();
        let tables = self.rows.contiguous_iter_mut().expect("routers and load windows are in table storage");
        for (routers, windows) in tables {
            let routers = ContiguousMut::bypass_change_detection_split(routers).0;
            let windows = ContiguousMut::bypass_change_detection_split(windows).0;
            let Some(kind) = routers.first().map(|router| router.node.kind()) else { continue };
            assert!(of_kind[kind].routers.is_empty(), "all nodes of a kind are in one table");
            of_kind[kind] = Columns { routers, windows };
        }
        RoutersView { of_kind, lists: self.lists.bypass_change_detection() }
    }
}

/// The routers of a kind of node, and their windows of reported loads.
#[derive(Debug, Default)]
struct Columns<'a> {
    routers: &'a mut [Router],
    windows: &'a mut [LoadWindow],
}

/// All routers by kind and row, as handlers access them.
#[derive(Debug)]
pub struct RoutersView<'a> {
    of_kind: PerKind<Columns<'a>>,
    /// The targets that are there, for routers whose targets come and go.
    pub lists: &'a mut TargetLists,
}

impl RoutersView<'_> {
    /// Picks a target for a request, which has this key. Returns the choice, the target, the index of the sender's first
    /// return hop, and whether the policy has to know when the request arrives; or `None` if no target is there.
    #[inline(always)]
    pub(in crate::model) fn choose<P: Part>(
        &mut self,
        row: Row<P>,
        request: RequestRow,
        key: u32,
        now: SimTime,
    ) -> Option<(Choice, Target, u32, bool)> {
        let Columns { routers, windows } = &mut self.of_kind[P::KIND];
        let router = &mut routers[row.index()];
        let (targets, indices) = match router.list {
            None => (&*router.to.targets, None),
            Some(list) => (self.lists.present(list), Some(self.lists.indices(list))),
        };
        if targets.is_empty() {
            return None;
        }
        let query = RoutingQuery { request, key, targets, indices, now };
        let mut choice = router.policy.pick(query, &mut windows[row.index()], &mut router.stream);
        let target = targets[choice.target];
        if let Some(list) = router.list {
            choice.target = self.lists.index(list, choice.target);
        }
        Some((choice, target, router.to.first_hop, router.notes_arrivals))
    }

    /// The response to a request has come back to the node in this row. Records the load that its sender reports, unless the
    /// policy does not use loads.
    #[inline]
    pub(in crate::model) fn learn<P: Part>(
        &mut self,
        row: Row<P>,
        request: RequestRow,
        (reporter, load): (Node, ReportedLoad),
        now: SimTime,
    ) {
        let Columns { routers, windows } = &mut self.of_kind[P::KIND];
        let router = &mut routers[row.index()];
        if router.counts_requests {
            router.policy.ended(request);
        }
        if let Some(feedback) = &router.feedback {
            windows[row.index()].report(reporter, load, now, feedback.window);
        }
    }

    /// A node whose policy has to know when requests arrive has sent one to the target with this index.
    #[cold]
    pub(in crate::model) fn sent<P: Part>(&mut self, row: Row<P>, target: usize, passage: Passage) {
        if let Passage::Arrives(at) = passage {
            self.of_kind[P::KIND].routers[row.index()].policy.sent(target, at);
        }
    }

    /// A request that a node may have sent has come back to it, or has ended on its way.
    #[inline]
    pub fn end(&mut self, node: Node, request: RequestRow) {
        let routers = &mut self.of_kind[node.kind()].routers;
        if let Some(router) = routers.get_mut(node.row() as usize)
            && router.counts_requests
        {
            router.policy.ended(request);
        }
    }

    /// Sets the policy of the nodes in these rows. Remembered loads stay, but no new reports are recorded while the
    /// policy ignores loads.
    #[cold]
    pub fn set_policy<P: Part>(&mut self, rows: Range<u32>, policy: &PolicySpec) {
        for row in rows.map(Row::<P>::new) {
            let router = &mut self.of_kind[P::KIND].routers[row.index()];
            router.policy = policy.policy();
            router.counts_requests = router.policy.counts_requests();
            router.notes_arrivals = router.policy.notes_arrivals();
            router.feedback = policy.load_feedback();
        }
    }

    /// The load of `other` (0 to 1) as perceived by `node`, or `None` if `node` does not record reported loads. Expired
    /// reports are dropped first.
    pub fn estimate(&mut self, node: Node, other: Node, now: SimTime) -> Option<f64> {
        let Columns { routers, windows } = &mut self.of_kind[node.kind()];
        let feedback = routers.get(node.row() as usize)?.feedback?;
        let window = windows.get_mut(node.row() as usize)?;
        Some(window.expire_and_estimate(other, now, feedback.window).share())
    }
}

/// The policy and the targets of a node, as written in a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Routing<'a> {
    /// Its policy.
    pub policy: &'a PolicySpec,
    /// Names of its targets.
    pub to: &'a [String],
}

impl Routing<'_> {
    /// The thresholds of load that the policy uses, with `owner` as the name of the node.
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
            .flat_map(|feedback| {
                [&UTILIZATION, &PERCEIVED_LOAD].map(|metric| limit(feedback.threshold, metric))
            })
            .collect()
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Helpers for tests of policies.

    use super::super::{Choice, RoutingQuery};
    use super::{Node, RequestRow, Row, SimTime, Target};
    use crate::event::NodeKind;

    /// A node that reports its load.
    pub(crate) fn node(row: u32) -> Node {
        let kind =
            NodeKind::ALL.into_iter().find(|kind| kind.reports_load()).expect("servers report their load");
        Node::new(kind, row)
    }

    /// Calls `pick` with a query for this key and number of targets.
    pub(crate) fn pick_with(key: u32, targets: u32, pick: impl FnOnce(RoutingQuery<'_>) -> Choice) -> Choice {
        pick_with_request(RequestRow::new(0), targets, |query| pick(RoutingQuery { key, ..query }))
    }

    /// Calls `pick` with a query for this request and number of targets.
    pub(crate) fn pick_with_request(
        request: RequestRow,
        targets: u32,
        pick: impl FnOnce(RoutingQuery<'_>) -> Choice,
    ) -> Choice {
        let targets: Vec<Target> = (0..targets).map(|row| Target::new(node(row), Row::NONE, 0)).collect();
        let now = SimTime::from_nanos(1);
        pick(RoutingQuery { request, key: 0, targets: &targets, indices: None, now })
    }
}
