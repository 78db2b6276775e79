//! The rate limiter: protects the nodes behind it. A request above the limit is shed at once.

mod token_bucket;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use self::token_bucket::{BucketLimits, TokenBucket};
use super::build::Builder;
use super::check::Checker;
use super::figure::{ARRIVED, Aspect, Failures, Figure, FigureColumn, FigureReader, Value};
use super::metric::{ARRIVAL_RATE, Measurable, Metric, MetricReader, PlotSpec, Reading, SHED_RATE, Unit};
use super::names::NamedGroup;
use super::part::{Description, NoFault, Part, PartSetting, Step, steps_of_rate};
use super::trace::TraceEvent;
use super::{Context, Destinations};
use crate::engine::row::{Column, Row, Rows};
use crate::engine::time::SimTime;
use crate::engine::units::Rate;
use crate::event::{NodeKind, PackedEvent, RequestRow};
use crate::request::Outcome;
use crate::text::Path;

/// A rate limiter, or a group of identical rate limiters, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimiterSpec {
    /// Makes a group of this many rate limiters, each with its own limit: `name-0`, `name-1`, ... By default, a single
    /// rate limiter called `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Maximum rate of requests that pass in the long run (above 0).
    pub rate: Rate,
    /// Maximum number of requests that pass at once after an idle time (1 or more).
    #[serde(default = "one")]
    pub burst: u32,
    /// Whether the limit is for all requests together or for each key.
    #[serde(default)]
    pub per: Per,
    /// The node that receives the requests that pass: one node, not a group.
    pub to: String,
}

const fn one() -> u32 {
    1
}

/// The requests that share a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Per {
    /// All requests together.
    #[default]
    All,
    /// The requests of one key: each key has its own limit.
    Key,
}

/// A setting of a rate limiter that can change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RateLimiterSetting {
    /// Maximum rate of requests that pass from the change on (above 0). The tokens in the bucket stay.
    Rate(Rate),
}

impl fmt::Display for RateLimiterSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rate(rate) = self;
        write!(f, "limit {rate}")
    }
}

impl PartSetting for RateLimiterSetting {
    fn name(&self) -> &'static str {
        let Self::Rate(_) = self;
        "Rate"
    }

    fn steps(&self) -> Vec<Step<Self>> {
        let Self::Rate(rate) = self;
        steps_of_rate("change the rate limit", |factor| {
            Rate::per_second(rate.as_per_second() * factor).map(Self::Rate)
        })
    }
}

fn check_rate(rate: Rate, path: Path, checker: &mut Checker<'_>) {
    if rate.as_per_second() <= 0.0 {
        checker.add(path, "with a limit of 0 no request passes", "use a rate above \"0/s\"");
    }
}

/// The state of a rate limiter during a run.
#[derive(Component, Clone, Debug)]
pub struct RateLimiter {
    limits: BucketLimits,
    burst: u32,
    buckets: Buckets,
    to: Destinations,
    /// Requests that arrived.
    arrived: u64,
    /// Requests that were shed.
    shed: u64,
}

/// The buckets of a rate limiter.
#[derive(Clone, Debug)]
enum Buckets {
    /// One bucket for all requests.
    All(TokenBucket),
    /// One bucket per key. Full buckets are removed from time to time: memory grows with the number of recent keys.
    PerKey {
        buckets: BTreeMap<u32, TokenBucket>,
        /// Number of buckets at which full ones are removed.
        purge_size: usize,
    },
}

/// Minimum number of buckets of keys before full ones are removed.
const MIN_PURGE_SIZE: usize = 1024;

impl Buckets {
    fn new(per: Per, limits: BucketLimits) -> Self {
        match per {
            Per::All => Self::All(TokenBucket::full(limits, SimTime::ZERO)),
            Per::Key => Self::PerKey { buckets: BTreeMap::new(), purge_size: MIN_PURGE_SIZE },
        }
    }

    fn take(&mut self, key: u32, limits: BucketLimits, now: SimTime) -> bool {
        match self {
            Self::All(bucket) => bucket.take(limits, now),
            Self::PerKey { buckets, purge_size } => {
                if buckets.len() >= *purge_size {
                    buckets.retain(|_, bucket| !bucket.is_full(limits, now));
                    // Doubling keeps the amortised cost per request constant.
                    *purge_size = (2 * buckets.len()).max(MIN_PURGE_SIZE);
                }
                buckets.entry(key).or_insert_with(|| TokenBucket::full(limits, now)).take(limits, now)
            }
        }
    }

    fn refill(&mut self, limits: BucketLimits, now: SimTime) {
        match self {
            Self::All(bucket) => bucket.refill(limits, now),
            Self::PerKey { buckets, .. } => {
                buckets.values_mut().for_each(|bucket| bucket.refill(limits, now));
            }
        }
    }

    /// Number of tokens in the bucket; with a bucket per key, in the emptiest one.
    fn fewest_tokens(&self, limits: BucketLimits, now: SimTime) -> f64 {
        let full = TokenBucket::full(limits, now).tokens(limits, now);
        match self {
            Self::All(bucket) => bucket.tokens(limits, now),
            Self::PerKey { buckets, .. } => {
                buckets.values().map(|bucket| bucket.tokens(limits, now)).fold(full, f64::min)
            }
        }
    }
}

/// All rate limiters, as a system parameter.
pub type Columns<'w, 's> = Rows<'w, 's, RateLimiter>;

/// All rate limiters by row, as handlers access them.
pub type View<'a> = Column<'a, RateLimiter, RateLimiter>;

/// Number of tokens in the bucket of a rate limiter; with a bucket per key, in the emptiest one.
static TOKENS: Metric = Metric::new("tokens", Unit::Count, "Tokens");

static SHED_PLOT: PlotSpec = PlotSpec {
    id: "limiter-shed",
    section: RateLimiter::DESCRIPTION.title,
    title: "Shed",
    caption: "Requests above the limit.",
};
static ARRIVALS: PlotSpec = PlotSpec {
    id: "limiter-arrivals",
    section: RateLimiter::DESCRIPTION.title,
    title: "Requests at rate limiters",
    caption: "",
};

impl Measurable for RateLimiter {
    type View<'a> = View<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::new(&SHED_RATE, &SHED_PLOT, |limiters, row, _| Reading::Count(limiters[row].shed)),
        MetricReader::new(&ARRIVAL_RATE, &ARRIVALS, |limiters, row, _| Reading::Count(limiters[row].arrived)),
        MetricReader::probed(&TOKENS, |limiters, row, now| {
            let RateLimiter { buckets, limits, .. } = &limiters[row];
            Reading::Value(Some(buckets.fewest_tokens(*limits, now)))
        }),
    ];

    fn rows(limiters: &View<'_>) -> usize {
        limiters.len()
    }
}

static PASSED: Figure = Figure::new("passed", "passed");
static SHED: Figure = Figure::new("shed", "shed").counting_failures(Failures {
    outcome: Outcome::Shed,
    rate: &SHED_RATE,
    of: &ARRIVED,
});

impl Part for RateLimiter {
    const KIND: NodeKind = NodeKind::RateLimiter;
    const DESCRIPTION: Description = Description {
        name: "rate limiter",
        title: "Rate limiters",
        receives: true,
        reports_load: false,
        sheds: true,
        terminal: &[
            FigureColumn::new("arrived", &ARRIVED),
            FigureColumn::new("passed", &PASSED),
            FigureColumn::new("shed", &SHED),
            FigureColumn::of("share", &SHED, Aspect::ShareOf(&ARRIVED)),
        ],
        report: &[
            FigureColumn::new("arrived", &ARRIVED),
            FigureColumn::new("passed", &PASSED),
            FigureColumn::new("shed", &SHED),
            FigureColumn::of("share", &SHED, Aspect::ShareOf(&ARRIVED)),
        ],
        details: &[],
        ranked_by: &[&SHED, &ARRIVED],
    };
    const FIGURES: &'static [FigureReader<Self>] = &[
        FigureReader::new(&ARRIVED, |limiters, row, _| Value::Count(limiters[row].arrived)),
        FigureReader::new(&PASSED, |limiters, row, _| {
            let RateLimiter { arrived, shed, .. } = limiters[row];
            Value::Count(arrived - shed)
        }),
        FigureReader::new(&SHED, |limiters, row, _| Value::Count(limiters[row].shed)),
    ];

    type Spec = RateLimiterSpec;
    type Setting = RateLimiterSetting;
    type Fault = NoFault;

    fn count(spec: &RateLimiterSpec) -> Option<u32> {
        spec.count
    }

    fn forwards_to(spec: &RateLimiterSpec) -> Vec<&str> {
        vec![&spec.to]
    }

    fn settings(spec: &RateLimiterSpec) -> Vec<RateLimiterSetting> {
        vec![RateLimiterSetting::Rate(spec.rate)]
    }

    fn check(spec: &RateLimiterSpec, path: &Path, checker: &mut Checker<'_>) {
        checker.single_receiver(path, "to", &spec.to);
        check_rate(spec.rate, path.clone().name("rate"), checker);
        if spec.burst == 0 {
            let message = "with a burst of 0 no request passes";
            checker.add(path.clone().name("burst"), message, "set it to 1 or more");
        }
    }

    fn check_setting(
        setting: &RateLimiterSetting,
        path: &Path,
        _: &[&RateLimiterSpec],
        checker: &mut Checker<'_>,
    ) {
        let RateLimiterSetting::Rate(rate) = setting;
        check_rate(*rate, path.clone(), checker);
    }

    fn build(spec: &RateLimiterSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let limits = BucketLimits::new(spec.rate, spec.burst);
        let destinations = builder.destinations(entry, std::slice::from_ref(&spec.to));
        let limiters: Vec<_> = destinations
            .into_iter()
            .map(|to| Self {
                limits,
                burst: spec.burst,
                buckets: Buckets::new(spec.per, limits),
                to,
                arrived: 0,
                shed: 0,
            })
            .collect();
        builder.world.spawn_batch(limiters);
    }

    #[inline]
    fn deliver<const FULL: bool>(
        limiters: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let limiter = &mut limiters[row];
        limiter.arrived += 1;
        let arrived = context.requests.get_mut(request);
        if limiter.buckets.take(arrived.key, limiter.limits, context.now) {
            return context.forward(request, &limiter.to, 0);
        }
        limiter.shed += 1;
        arrived.outcome = Some(Outcome::Shed);
        arrived.server = Self::node(row);
        context.trace(request, || TraceEvent::Rejected { node: Self::node(row) });
        context.reply(request)
    }

    fn change<const FULL: bool>(
        limiters: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &RateLimiterSetting,
    ) -> Vec<RequestRow> {
        let RateLimiterSetting::Rate(rate) = setting;
        for row in rows.map(Row::new) {
            let limiter = &mut limiters[row];
            limiter.buckets.refill(limiter.limits, context.now);
            limiter.limits = BucketLimits::new(*rate, limiter.burst);
        }
        Vec::new()
    }
}
