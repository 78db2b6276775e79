//! The load balancer: picks a target for each request by a policy.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::Builder;
use super::check::Checker;
use super::figure::{ARRIVED, Aggregation, Figure, FigureReader, REJECTED, Value, Visibility};
use super::metric::{ARRIVAL_RATE, Measurable, MetricReader, PlotSpec, REJECTION_RATE, Reading};
use super::names::NamedGroup;
use super::part::{Description, NoFault, Part, PartSetting};
use super::references::References;
use super::routing::router::{Router, Routing};
use super::routing::{PolicySpec, REHASH_RATE};
use super::{Context, Target};
use crate::engine::row::{Column, Row, Rows};
use crate::event::{NodeKind, PackedEvent, RequestRow};
use crate::text::Path;

/// A load balancer, or a group of identical load balancers, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancerSpec {
    /// Makes a group of this many load balancers: `name-0`, `name-1`, ... By default, a single load balancer called
    /// `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The policy that picks a target for each request.
    pub policy: PolicySpec,
    /// The targets: a node, a group, or a list of them.
    pub to: References,
}

/// A setting of a load balancer that can change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LoadBalancerSetting {
    /// The policy that picks targets from the change on. Remembered load reports stay.
    Policy(PolicySpec),
}

impl fmt::Display for LoadBalancerSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Policy(policy) = self;
        write!(f, "policy {}", policy.name())
    }
}

impl PartSetting for LoadBalancerSetting {
    fn name(&self) -> &'static str {
        let Self::Policy(_) = self;
        "Policy"
    }

    fn policy(&self) -> Option<&PolicySpec> {
        let Self::Policy(policy) = self;
        Some(policy)
    }
}

/// The targets and counters of a load balancer. Its policy is in its [`Router`].
#[derive(Component, Clone, Debug)]
pub struct LoadBalancer {
    /// The targets to pick from.
    targets: Arc<[Target]>,
    /// Number of requests sent to each target.
    pub routed: Box<[u64]>,
    /// Requests sent to a target other than the one that their key selects, because of its load.
    pub rehashed: u64,
    /// Requests rejected because no target was there.
    pub rejected: u64,
    /// Whether its targets come and go, so that there may be none.
    may_have_no_target: bool,
}

impl LoadBalancer {
    /// Number of requests that arrived.
    fn arrived(&self) -> u64 {
        self.routed.iter().sum::<u64>() + self.rejected
    }
}

/// All load balancers, as a system parameter.
pub type Columns<'w, 's> = Rows<'w, 's, LoadBalancer>;

/// All load balancers by row, as handlers access them.
pub type View<'a> = Column<'a, LoadBalancer, LoadBalancer>;

static REJECTIONS: PlotSpec = PlotSpec {
    id: "balancer-rejections",
    section: LoadBalancer::DESCRIPTION.title,
    title: "Rejected without a target",
    caption: "Requests that arrived while none of the targets was there.",
};

impl Measurable for LoadBalancer {
    type View<'a> = View<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::probed(&ARRIVAL_RATE, |balancers, row, _| Reading::Count(balancers[row].arrived())),
        MetricReader::probed(&REHASH_RATE, |balancers, row, _| Reading::Count(balancers[row].rehashed)),
        MetricReader::<Self>::new(&REJECTION_RATE, &REJECTIONS, |balancers, row, _| {
            Reading::Count(balancers[row].rejected)
        })
        .only_where(|balancers, row| balancers[row].may_have_no_target),
    ];

    fn rows(balancers: &View<'_>) -> usize {
        balancers.len()
    }
}

/// Number of requests sent to each target.
pub static ROUTED: Figure = Figure::new("routed", "routed").combined(Aggregation::Merge);
/// Requests sent to a target other than the one that their key selects.
pub static REHASHED: Figure = Figure::new("rehashed", "rehashed").written(Visibility::NotZero);

impl Part for LoadBalancer {
    const KIND: NodeKind = NodeKind::LoadBalancer;
    const DESCRIPTION: Description = Description {
        name: "load balancer",
        title: "Load balancers",
        receives: true,
        reports_load: false,
        sheds: false,
        terminal: &[],
        report: &[],
        details: &[],
        ranked_by: &[],
    };
    const FIGURES: &'static [FigureReader<Self>] = &[
        FigureReader::new(&ROUTED, |balancers, row, _| {
            let LoadBalancer { targets, routed, .. } = &balancers[row];
            Value::Table(targets.iter().map(Target::node).zip(routed.iter().copied()).collect())
        }),
        FigureReader::new(&REHASHED, |balancers, row, _| Value::Count(balancers[row].rehashed)),
        FigureReader::<Self>::new(&ARRIVED, |balancers, row, _| Value::Count(balancers[row].arrived()))
            .only_where(|balancers, row| balancers[row].may_have_no_target),
        FigureReader::<Self>::new(&REJECTED, |balancers, row, _| Value::Count(balancers[row].rejected))
            .only_where(|balancers, row| balancers[row].may_have_no_target),
    ];

    type Spec = LoadBalancerSpec;
    type Setting = LoadBalancerSetting;
    type Fault = NoFault;

    fn count(spec: &LoadBalancerSpec) -> Option<u32> {
        spec.count
    }

    fn forwards_to(spec: &LoadBalancerSpec) -> Vec<&str> {
        spec.to.names()
    }

    fn routing(spec: &LoadBalancerSpec) -> Option<Routing<'_>> {
        Some(Routing { policy: &spec.policy, to: &spec.to.0 })
    }

    fn settings(spec: &LoadBalancerSpec) -> Vec<LoadBalancerSetting> {
        vec![LoadBalancerSetting::Policy(spec.policy.clone())]
    }

    fn check(spec: &LoadBalancerSpec, path: &Path, checker: &mut Checker<'_>) {
        checker.receivers(path, &spec.to.0);
        spec.policy.check(&path.clone().name("policy"), &spec.to.0, checker);
    }

    fn check_setting(
        setting: &LoadBalancerSetting,
        path: &Path,
        specs: &[&LoadBalancerSpec],
        checker: &mut Checker<'_>,
    ) {
        let LoadBalancerSetting::Policy(policy) = setting;
        let targets: Vec<String> = specs.iter().flat_map(|spec| spec.to.0.iter().cloned()).collect();
        policy.check(path, &targets, checker);
    }

    fn build(spec: &LoadBalancerSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let routers = Router::build(builder, entry, &spec.policy, &spec.to.0, "policy");
        let balancers: Vec<_> = routers
            .into_iter()
            .map(|(router, window)| {
                let targets = Arc::clone(router.targets());
                let routed = vec![0; targets.len()].into();
                let may_have_no_target = router.may_have_no_target();
                let balancer = Self { targets, routed, rehashed: 0, rejected: 0, may_have_no_target };
                (balancer, router, window)
            })
            .collect();
        builder.world.spawn_batch(balancers);
    }

    #[inline(always)]
    fn deliver<const FULL: bool>(
        balancers: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let (choice, next) = context.route(row, request);
        let balancer = &mut balancers[row];
        match choice {
            Some(choice) => {
                balancer.routed[choice.target] += 1;
                balancer.rehashed += u64::from(choice.rehashed);
            }
            None => balancer.rejected += 1,
        }
        next
    }

    #[inline(always)]
    fn respond<const FULL: bool>(
        _: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        context.learn(row, request);
        context.reply(request)
    }

    fn change<const FULL: bool>(
        _: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &LoadBalancerSetting,
    ) -> Vec<RequestRow> {
        let LoadBalancerSetting::Policy(policy) = setting;
        context.routers.set_policy::<Self>(rows, policy);
        Vec::new()
    }
}
