//! Metrics of links, and of the lines of those with a bandwidth.

use super::{Line, LineId, Link, LinksView};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::model::metric::{
    ARRIVAL_RATE, COMPLETION_RATE, Measurable, Metric, MetricReader, PlotSpec, QUEUE_DEPTH, Reading,
    UTILIZATION, Unit,
};

/// Messages lost per second, in both directions.
pub static LOSS_RATE: Metric = Metric::new("loss_rate", Unit::PerSecond, "LossRate");
/// Messages sent per second, in both directions and with those that are lost.
static MESSAGE_RATE: Metric = Metric::new("message_rate", Unit::PerSecond, "MessageRate");
/// Number of requests that have left the sender and not yet arrived.
static REQUESTS_IN_TRANSIT: Metric = Metric::new("requests_in_transit", Unit::Count, "RequestsInTransit");
/// Number of responses that have left the receiver and not yet arrived.
static RESPONSES_IN_TRANSIT: Metric = Metric::new("responses_in_transit", Unit::Count, "ResponsesInTransit");
/// Bytes of both.
static BYTES_IN_TRANSIT: Metric = Metric::new("bytes_in_transit", Unit::Count, "BytesInTransit");
/// Share of the bandwidth for requests that is in use.
static REQUEST_LOAD: Metric = Metric::new("request_load", Unit::Share, "RequestLoad");
/// Share of the bandwidth for responses that is in use.
static RESPONSE_LOAD: Metric = Metric::new("response_load", Unit::Share, "ResponseLoad");

const SECTION: &str = "Links";

static LOSSES: PlotSpec = PlotSpec { id: "losses", section: SECTION, title: "Lost messages", caption: "" };
static USE: PlotSpec = PlotSpec {
    id: "bandwidth",
    section: SECTION,
    title: "Use of bandwidth",
    caption: "Share of the time in which messages are transferred.",
};
static WAITING: PlotSpec = PlotSpec {
    id: "bandwidth-queues",
    section: SECTION,
    title: "Waiting for bandwidth",
    caption: "Mean number of messages beyond one that are being transferred or wait for it.",
};
static TRANSFERS: PlotSpec =
    PlotSpec { id: "transfers", section: SECTION, title: "Transfers", caption: "Messages per second." };

impl Measurable for Link {
    type View<'a> = LinksView<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::new(&LOSS_RATE, &LOSSES, |links, row, _| Reading::Count(links[row].lost())),
        MetricReader::probed(&MESSAGE_RATE, |links, row, _| Reading::Count(links[row].sent())),
        MetricReader::probed(&REQUESTS_IN_TRANSIT, |links, row, now| in_transit(links, row, false, now)),
        MetricReader::probed(&RESPONSES_IN_TRANSIT, |links, row, now| in_transit(links, row, true, now)),
        MetricReader::probed(&BYTES_IN_TRANSIT, |links, row, now| bytes_in_transit(links, row, now)),
        MetricReader::probed(&REQUEST_LOAD, |links, row, now| load(links, LineId::new(row, false), now)),
        MetricReader::probed(&RESPONSE_LOAD, |links, row, now| load(links, LineId::new(row, true), now)),
    ];

    fn rows(links: &LinksView<'_>) -> usize {
        links.len()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number for people and plots")]
fn in_transit(links: &mut LinksView<'_>, row: Row<Link>, is_response: bool, now: SimTime) -> Reading {
    let transit = links[row].half_mut(is_response).transit(now);
    Reading::Value(transit.map(|transit| transit.messages() as f64))
}

#[expect(clippy::cast_precision_loss, reason = "a number for people and plots")]
fn bytes_in_transit(links: &mut LinksView<'_>, row: Row<Link>, now: SimTime) -> Reading {
    let directions = [false, true].map(|is_response| {
        links[row].half_mut(is_response).transit(now).map_or(0, |transit| transit.bytes())
    });
    Reading::Value(Some(directions.iter().sum::<u64>() as f64))
}

/// The metrics of links that probes can sample.
#[must_use]
pub fn gauges() -> Vec<&'static Metric> {
    Link::MEASURED.iter().map(|reader| reader.metric).filter(|metric| metric.gauge.is_some()).collect()
}

impl LineId {
    fn of(row: Row<Line>) -> Self {
        Self(row.number())
    }
}

/// Rows of lines are the numbers of [`LineId`]: each link has two, which may have no bandwidth.
impl Measurable for Line {
    type View<'a> = LinksView<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::<Self>::new(&UTILIZATION, &USE, |links, row, now| load(links, LineId::of(row), now))
            .only_where(has_line),
        MetricReader::<Self>::new(&QUEUE_DEPTH, &WAITING, |links, row, now| {
            line(links, LineId::of(row))
                .map_or(Reading::Value(None), |line| Reading::level(&line.traffic.waiting, now))
        })
        .only_where(has_line),
        MetricReader::<Self>::new(&ARRIVAL_RATE, &TRANSFERS, |links, row, _| {
            Reading::Count(line(links, LineId::of(row)).map_or(0, |line| line.traffic.arrived))
        })
        .labelled("offered")
        .only_where(has_line),
        MetricReader::<Self>::new(&COMPLETION_RATE, &TRANSFERS, |links, row, _| {
            Reading::Count(line(links, LineId::of(row)).map_or(0, |line| line.traffic.completed))
        })
        .labelled("completed")
        .only_where(has_line),
    ];

    fn rows(links: &LinksView<'_>) -> usize {
        // Most systems have no line: then not every link is asked for each metric of each of its lines.
        let has_lines =
            links.iter().any(|link| link.request.line().is_some() || link.response.line().is_some());
        if has_lines { 2 * links.len() } else { 0 }
    }
}

fn has_line(links: &LinksView<'_>, row: Row<Line>) -> bool {
    line(links, LineId::of(row)).is_some()
}

fn line<'v>(links: &'v LinksView<'_>, id: LineId) -> Option<&'v Line> {
    links[id.link()].half(id.is_response()).line()
}

/// The share of a bandwidth that is in use.
fn load(links: &LinksView<'_>, id: LineId, now: SimTime) -> Reading {
    line(links, id).map_or(Reading::Value(None), |line| Reading::level(&line.traffic.busy, now))
}
