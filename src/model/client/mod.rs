//! The client: the caller's side. It picks a server for each request by a policy, and learns the load of servers from
//! their responses.

use std::fmt;
use std::ops::Range;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::Context;
use super::build::Builder;
use super::check::Checker;
use super::figure::{Aspect, Failures, Figure, FigureColumn, FigureReader, Value};
use super::metric::{
    ARRIVAL_RATE, COMPLETION_RATE, Measurable, MetricReader, PlotSpec, REJECTION_RATE, Reading,
};
use super::names::NamedGroup;
use super::part::{Description, NoFault, Part, PartSetting};
use super::references::References;
use super::routing::router::{Router, Routing};
use super::routing::{KeyHash, PolicySpec, REHASH_RATE};
use crate::engine::row::{Column, Row, Rows};
use crate::event::{NodeKind, PackedEvent, RequestRow};
use crate::text::Path;

/// A client, or a group of identical clients, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// Makes a group of this many clients: `name-0`, `name-1`, ... By default, a single client called `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The policy that picks a server for each request.
    #[serde(default = "by_key")]
    pub routing: PolicySpec,
    /// The targets: a node, a group, or a list of them.
    pub to: References,
}

const fn by_key() -> PolicySpec {
    PolicySpec::KeyHash(KeyHash { salt: None })
}

/// A setting of a client that can change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ClientSetting {
    /// The policy that picks servers from the change on. Remembered load reports stay.
    Routing(PolicySpec),
}

impl fmt::Display for ClientSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Routing(policy) = self;
        write!(f, "routing {}", policy.name())
    }
}

impl PartSetting for ClientSetting {
    fn name(&self) -> &'static str {
        let Self::Routing(_) = self;
        "Routing"
    }

    fn policy(&self) -> Option<&PolicySpec> {
        let Self::Routing(policy) = self;
        Some(policy)
    }
}

/// The counters of a client. Its policy is in its [`Router`], the load reports that it remembers are in its
/// [`LoadWindow`](super::routing::LoadWindow).
#[derive(Component, Clone, Debug, Default)]
pub struct Client {
    /// Requests that arrived.
    pub requests: u64,
    /// Responses that came back, rejections included.
    pub responses: u64,
    /// Requests sent to a server other than the one that their key selects.
    pub rehashed: u64,
    /// Requests rejected because no target was there.
    pub rejected: u64,
    /// Whether its targets come and go, so that there may be none.
    may_have_no_target: bool,
}

/// All clients, as a system parameter.
pub type Columns<'w, 's> = Rows<'w, 's, Client>;

/// All clients by row, as handlers access them.
pub type View<'a> = Column<'a, Client, Client>;

static REHASHED_SHARE: PlotSpec = PlotSpec {
    id: "rehashed",
    section: Client::DESCRIPTION.title,
    title: "Rehashed requests",
    caption: "Share of requests sent to a server other than the one that their key selects.",
};
static ARRIVALS: PlotSpec = PlotSpec {
    id: "client-arrivals",
    section: Client::DESCRIPTION.title,
    title: "Requests at clients",
    caption: "",
};

static REJECTIONS: PlotSpec = PlotSpec {
    id: "client-rejections",
    section: Client::DESCRIPTION.title,
    title: "Rejected without a target",
    caption: "Requests that arrived while none of the targets was there.",
};

impl Measurable for Client {
    type View<'a> = View<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::<Self>::new(&REHASH_RATE, &REHASHED_SHARE, |clients, row, _| {
            Reading::Count(clients[row].rehashed)
        })
        .as_share_of(&ARRIVAL_RATE),
        MetricReader::<Self>::new(&ARRIVAL_RATE, &ARRIVALS, |clients, row, _| {
            Reading::Count(clients[row].requests)
        }),
        MetricReader::probed(&COMPLETION_RATE, |clients, row, _| Reading::Count(clients[row].responses)),
        MetricReader::<Self>::new(&REJECTION_RATE, &REJECTIONS, |clients, row, _| {
            Reading::Count(clients[row].rejected)
        })
        .only_where(|clients, row| clients[row].may_have_no_target),
    ];

    fn rows(clients: &View<'_>) -> usize {
        clients.len()
    }
}

static REQUESTS: Figure = Figure::new("requests", "requests");
static RESPONSES: Figure = Figure::new("responses", "responses");
/// Requests sent to a server other than the one that their key selects.
pub static REHASHED: Figure = Figure::new("rehashed", "rehashed");
/// Requests that were rejected because no target was there.
static REJECTED: Figure =
    Figure::new("rejected", "rejected").counting_failures(Failures::rejections(&REQUESTS));
static RETRIES: Figure = Figure::new("retries", "retries");

impl Part for Client {
    const KIND: NodeKind = NodeKind::Client;
    const DESCRIPTION: Description = Description {
        name: "client",
        title: "Clients",
        receives: true,
        reports_load: false,
        sheds: false,
        terminal: &[
            FigureColumn::new("requests", &REQUESTS),
            FigureColumn::new("responses", &RESPONSES),
            FigureColumn::new("rehashed", &REHASHED),
            FigureColumn::of("share", &REHASHED, Aspect::ShareOf(&REQUESTS)),
        ],
        report: &[
            FigureColumn::new("requests", &REQUESTS),
            FigureColumn::new("responses", &RESPONSES),
            FigureColumn::new("rehashed", &REHASHED),
        ],
        details: &[],
        ranked_by: &[&REHASHED, &REQUESTS],
    };
    const FIGURES: &'static [FigureReader<Self>] = &[
        FigureReader::new(&REQUESTS, |clients, row, _| Value::Count(clients[row].requests)),
        FigureReader::new(&RESPONSES, |clients, row, _| Value::Count(clients[row].responses)),
        FigureReader::new(&REHASHED, |clients, row, _| Value::Count(clients[row].rehashed)),
        // Always 0, as clients do not retry yet; the field is part of the format of the summary.
        FigureReader::new(&RETRIES, |_, _, _| Value::Count(0)),
        FigureReader::<Self>::new(&REJECTED, |clients, row, _| Value::Count(clients[row].rejected))
            .only_where(|clients, row| clients[row].may_have_no_target),
    ];

    type Spec = ClientSpec;
    type Setting = ClientSetting;
    type Fault = NoFault;

    fn count(spec: &ClientSpec) -> Option<u32> {
        spec.count
    }

    fn forwards_to(spec: &ClientSpec) -> Vec<&str> {
        spec.to.names()
    }

    fn routing(spec: &ClientSpec) -> Option<Routing<'_>> {
        Some(Routing { policy: &spec.routing, to: &spec.to.0 })
    }

    fn settings(spec: &ClientSpec) -> Vec<ClientSetting> {
        vec![ClientSetting::Routing(spec.routing.clone())]
    }

    fn check(spec: &ClientSpec, path: &Path, checker: &mut Checker<'_>) {
        checker.receivers(path, &spec.to.0);
        spec.routing.check(&path.clone().name("routing"), &spec.to.0, checker);
    }

    fn check_setting(setting: &ClientSetting, path: &Path, specs: &[&ClientSpec], checker: &mut Checker<'_>) {
        let ClientSetting::Routing(policy) = setting;
        let targets: Vec<String> = specs.iter().flat_map(|spec| spec.to.0.iter().cloned()).collect();
        policy.check(path, &targets, checker);
    }

    fn build(spec: &ClientSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let routers = Router::build(builder, entry, &spec.routing, &spec.to.0, "routing");
        let client =
            |router: &Router| Self { may_have_no_target: router.may_have_no_target(), ..Self::default() };
        let clients: Vec<_> =
            routers.into_iter().map(|(router, window)| (client(&router), router, window)).collect();
        builder.world.spawn_batch(clients);
    }

    #[inline(always)]
    fn deliver<const FULL: bool>(
        clients: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let (choice, next) = context.route(row, request);
        let client = &mut clients[row];
        client.requests += 1;
        match choice {
            Some(choice) => client.rehashed += u64::from(choice.rehashed),
            None => client.rejected += 1,
        }
        next
    }

    #[inline(always)]
    fn respond<const FULL: bool>(
        clients: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        clients[row].responses += 1;
        context.learn(row, request);
        context.reply(request)
    }

    fn change<const FULL: bool>(
        _: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &ClientSetting,
    ) -> Vec<RequestRow> {
        let ClientSetting::Routing(policy) = setting;
        context.routers.set_policy::<Self>(rows, policy);
        Vec::new()
    }
}
