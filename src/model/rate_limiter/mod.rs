//! The rate limiter: protects what lies behind it. A request over the limit is turned away on purpose, at once.

mod token_bucket;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use self::token_bucket::{BucketLimits, TokenBucket};
use super::build::Builder;
use super::check::Checker;
use super::figure::{ARRIVED, Aspect, Figure, FigureColumn, FigureReader, Value};
use super::metric::{ARRIVAL_RATE, Measurable, Metric, MetricReader, PlotSpec, Reading, SHED_RATE, Unit};
use super::names::NamedGroup;
use super::part::{Description, Part, PartSetting, Step, steps_of_rate};
use super::trace::TraceEvent;
use super::{Context, Destinations};
use crate::engine::row::{Column, Row, Rows};
use crate::engine::time::SimTime;
use crate::engine::units::Rate;
use crate::event::{NodeKind, PackedEvent, RequestRow};
use crate::request::Outcome;
use crate::text::Path;

/// A rate limiter, or a group of equal ones, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimiterSpec {
    /// Makes a group of this many, each with a limit of its own: `name-0`, `name-1`, ...
    #[serde(default)]
    pub count: Option<u32>,
    /// How many requests pass in the long run (above 0).
    pub rate: Rate,
    /// How many pass at once after a rest (1 or more).
    #[serde(default = "one")]
    pub burst: u32,
    /// Whom the limit is for.
    #[serde(default)]
    pub per: Per,
    /// The node that requests go on to: one node, not a group.
    pub to: String,
}

const fn one() -> u32 {
    1
}

/// Whom a limit is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Per {
    /// All requests together.
    #[default]
    All,
    /// The requests of each key.
    Key,
}

/// What can change of a rate limiter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RateLimiterSetting {
    /// How many requests pass in the long run from then on (above 0). The tokens that are there stay.
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
        steps_of_rate("of the limit", |factor| {
            Rate::per_second(rate.as_per_second() * factor).map(Self::Rate)
        })
    }
}

fn check_rate(rate: Rate, path: Path, checker: &mut Checker<'_>) {
    if rate.as_per_second() <= 0.0 {
        checker.add(path, "a limit of 0 lets nothing pass", "make it more than \"0/s\"");
    }
}

/// A rate limiter as it runs.
#[derive(Component, Clone, Debug)]
pub struct RateLimiter {
    limits: BucketLimits,
    burst: u32,
    buckets: Buckets,
    to: Destinations,
    /// Requests that came.
    arrived: u64,
    /// Requests that were turned away.
    shed: u64,
}

/// The buckets of a limiter.
#[derive(Clone, Debug)]
enum Buckets {
    /// One for all requests.
    All(TokenBucket),
    /// One for each key, but for those that are full: memory grows with the keys that came lately.
    PerKey {
        buckets: BTreeMap<u32, TokenBucket>,
        /// With this many the full ones are dropped.
        most: usize,
    },
}

/// Buckets of keys that are kept before it is looked whether some of them are full.
const KEPT: usize = 1024;

impl Buckets {
    fn new(per: Per, limits: BucketLimits) -> Self {
        match per {
            Per::All => Self::All(TokenBucket::full(limits, SimTime::ZERO)),
            Per::Key => Self::PerKey { buckets: BTreeMap::new(), most: KEPT },
        }
    }

    fn take(&mut self, key: u32, limits: BucketLimits, now: SimTime) -> bool {
        match self {
            Self::All(bucket) => bucket.take(limits, now),
            Self::PerKey { buckets, most } => {
                if buckets.len() >= *most {
                    buckets.retain(|_, bucket| !bucket.is_full(limits, now));
                    // So that looking through all of them costs each request about the same.
                    *most = (2 * buckets.len()).max(KEPT);
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

    /// Tokens in the bucket; of the buckets of keys, in the emptiest.
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

/// The rate limiters as a system reaches them.
pub type Columns<'w, 's> = Rows<'w, 's, RateLimiter>;

/// The rate limiters as handlers reach them: by row.
pub type View<'a> = Column<'a, RateLimiter, RateLimiter>;

/// Tokens in the bucket of a limiter; of the buckets of keys, in the emptiest.
static TOKENS: Metric = Metric::new("tokens", Unit::Count, "Tokens");

static SHED_PLOT: PlotSpec = PlotSpec {
    id: "limiter-shed",
    section: RateLimiter::DESCRIPTION.title,
    title: "Turned away",
    caption: "Requests over the limit.",
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
static SHED: Figure = Figure::new("shed", "shed").turning_away(Outcome::Shed, &SHED_RATE);

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

    fn count(spec: &RateLimiterSpec) -> Option<u32> {
        spec.count
    }

    fn sends_to(spec: &RateLimiterSpec) -> Vec<&str> {
        vec![&spec.to]
    }

    fn settings(spec: &RateLimiterSpec) -> Vec<RateLimiterSetting> {
        vec![RateLimiterSetting::Rate(spec.rate)]
    }

    fn check(spec: &RateLimiterSpec, path: &Path, checker: &mut Checker<'_>) {
        checker.single_receiver(path, "to", &spec.to);
        check_rate(spec.rate, path.clone().name("rate"), checker);
        if spec.burst == 0 {
            let message = "a bucket that holds 0 tokens lets nothing pass";
            checker.add(path.clone().name("burst"), message, "make it 1 or more");
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
    fn deliver(
        limiters: &mut View<'_>,
        context: &mut Context<'_>,
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
        context.tracer.record(context.now, request, || TraceEvent::Rejected { node: Self::node(row) });
        context.reply(request)
    }

    fn change(
        limiters: &mut View<'_>,
        context: &mut Context<'_>,
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
