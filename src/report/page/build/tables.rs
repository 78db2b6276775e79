//! The tables: outcomes by source, latencies by source and class, figures of nodes by kind, links, autoscalers, and faults.

use super::super::{Section, Table};
use super::{REQUESTS, latency};
use crate::event::NodeKind;
use crate::format::figures::{Cell, Counts, detail_rows};
use crate::format::numbers::{bytes, count, group as group_name, mean, percent, share, time};
use crate::metrics::fleet::{busiest, of_kind};
use crate::metrics::summary::{DurationStats, LineSummary, NodeSummary, Summary};
use crate::model::autoscaler::ScalingCounts;
use crate::model::part::DetailTable;
use crate::request::{Outcome, OutcomeCounts};

/// Maximum number of rows of a table.
const MAX_ROWS: usize = 50;

/// The tables of a run, each in its section.
pub(super) fn tables(summary: &Summary) -> Vec<Section> {
    let section = |title: &str, table: Table| Section {
        title: title.to_owned(),
        tables: if table.rows.is_empty() { Vec::new() } else { vec![table] },
        ..Section::default()
    };
    let mut sections =
        vec![section(REQUESTS, outcomes(summary)), section(latency::TITLE, latencies(summary))];
    let kinds = NodeKind::ALL.into_iter().filter(|kind| !kind.description().report.is_empty());
    sections.extend(kinds.map(|kind| {
        let mut section = section(kind.description().title, nodes(summary, kind));
        section.tables.extend(details(summary, kind));
        section
    }));
    let mut of_links = section("Links", links(summary));
    of_links.tables.extend(Some(bandwidths(summary)).filter(|table| !table.rows.is_empty()));
    sections.push(of_links);
    sections.push(section("Autoscalers", autoscalers(summary)));
    sections.push(section("Faults", faults(summary)));
    sections
}

fn table(title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut rows: Vec<_> = rows.collect();
    let omitted = rows.len().saturating_sub(MAX_ROWS);
    rows.truncate(MAX_ROWS);
    Table {
        title: title.to_owned(),
        heads: heads.iter().map(|&head| head.to_owned()).collect(),
        rows,
        omitted,
    }
}

/// A row of a table: a name, and cells.
fn row(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(cells).collect()
}

fn outcomes(summary: &Summary) -> Table {
    // Failures without requests have no column.
    let calls = summary.calls.unwrap_or_default();
    let is_shown =
        |(outcome, number): &(Outcome, u64)| !outcome.is_failure() || *number > 0 || calls.of(*outcome) > 0;
    let shown: Vec<Outcome> = summary.requests.iter().filter(is_shown).map(|(outcome, _)| outcome).collect();
    let row = |name: &str, requests: &OutcomeCounts| {
        let ended = shown.iter().map(|outcome| requests.of(*outcome));
        let counts = [requests.offered].into_iter().chain(ended).chain([requests.in_flight()]);
        row(name, counts.map(count))
    };
    let labels = shown.iter().map(|outcome| outcome.label());
    let heads: Vec<&str> = ["source", "offered"].into_iter().chain(labels).chain(["in flight"]).collect();
    let all = (summary.sources.len() > 1).then(|| row("all", &summary.requests));
    let sources = summary.sources.iter().map(|(name, source)| row(name, &source.requests));
    let calls = summary.calls.iter().map(|calls| row("calls between nodes", calls));
    table("Requests by outcome", &heads, all.into_iter().chain(sources).chain(calls))
}

fn latencies(summary: &Summary) -> Table {
    let row = |name: &str, latency: &DurationStats| {
        let DurationStats { p50, p90, p95, p99, p999, max, mean, .. } = *latency;
        let times = [p50, p90, p95, p99, p999, max, mean].map(time);
        row(name, [count(latency.count)].into_iter().chain(times))
    };
    let latency = &summary.latency;
    let all = (latency.by_source.len() > 1).then(|| row("all", &latency.all));
    let sources = latency.by_source.iter().map(|(name, latency)| row(name, latency));
    let intended = latency.from_intended.iter();
    let intended = intended.map(|(name, latency)| row(&format!("{name}, from the intended time"), latency));
    let classes = latency.by_class.iter().take(MAX_ROWS);
    let classes = classes.map(|(name, latency)| row(&format!("class {name}"), latency));
    let heads = ["source", "completed", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"];
    let rows = all.into_iter().chain(sources).chain(intended).chain(classes);
    let mut table = table("Latency of completed requests", &heads, rows);
    table.omitted += latency.by_class.len().saturating_sub(MAX_ROWS);
    table
}

/// The groups of a kind, followed by its nodes; of many nodes the busiest.
fn nodes(summary: &Summary, kind: NodeKind) -> Table {
    let description = kind.description();
    let columns = description.report;
    let row = |name: &str, node: &NodeSummary| {
        row(name, columns.iter().map(|column| Cell::of(node, column, Counts::Full).text))
    };
    let groups = summary.groups.iter().filter(|(_, group)| group.figures.kind == kind);
    let groups = groups.map(|(name, group)| row(&group_name(name, group.members.len()), &group.figures));
    let mut nodes: Vec<_> = of_kind(summary, kind).collect();
    let total = nodes.len();
    let mut title = description.title.to_owned();
    if total > MAX_ROWS {
        nodes = busiest(summary, kind, MAX_ROWS, |_| true);
        title = format!("{} busiest of {} {}", nodes.len(), count(total as u64), title.to_lowercase());
    }
    let omitted = total - nodes.len();
    let nodes = nodes.into_iter().map(|(name, node)| row(name, node));
    let heads: Vec<&str> =
        [description.name].into_iter().chain(columns.iter().map(|column| column.head)).collect();
    let mut table = table(&title, &heads, groups.chain(nodes));
    table.omitted += omitted;
    table
}

/// The detail tables of a kind; without those that are empty.
fn details(summary: &Summary, kind: NodeKind) -> Vec<Table> {
    let of_detail = |detail: &DetailTable| {
        let cell = |node: &NodeSummary, column| Cell::of(node, column, Counts::Full).text;
        let rows = detail_rows(summary, kind, detail).into_iter();
        let columns = || detail.columns.iter().chain(detail.more);
        let rows = rows.map(|(name, node)| row(&name, columns().map(|column| cell(node, column))));
        let first = if detail.rows_of.is_some() { "" } else { kind.description().name };
        let heads = columns().map(|column| column.head);
        let heads: Vec<&str> = [first].into_iter().chain(heads).collect();
        table(detail.title, &heads, rows)
    };
    let tables = kind.description().details.iter().map(of_detail);
    tables.filter(|table| !table.rows.is_empty()).collect()
}

fn autoscalers(summary: &Summary) -> Table {
    let autoscalers = summary.autoscalers.iter().map(|(name, autoscaler)| {
        let ScalingCounts { decisions, ups, downs, added, removed } = autoscaler.counts;
        let figures = [decisions, ups, added, downs, removed].map(count);
        [name.clone(), autoscaler.of.clone()].into_iter().chain(figures).collect()
    });
    let heads = ["autoscaler", "of", "decisions", "times up", "added", "times down", "removed"];
    table("Autoscalers", &heads, autoscalers)
}

fn faults(summary: &Summary) -> Table {
    let faults = summary.faults.iter().map(|(name, fault)| {
        let figures = [count(fault.count), time(Some(fault.seconds)), time(fault.seconds_each)];
        [name.clone(), fault.of.join(", "), fault.what.clone()].into_iter().chain(figures).collect()
    });
    table("Faults", &["fault", "of", "what", "times", "in total", "each"], faults)
}

fn bandwidths(summary: &Summary) -> Table {
    let of_line = |(name, line): (String, &LineSummary)| {
        let figures = [
            percent(line.utilization),
            mean(line.waiting_mean),
            count(line.waiting_max.into()),
            time(line.wait.p50),
            time(line.wait.p99),
            time(line.wait.mean),
            time(line.transfer.mean),
            count(line.messages),
            bytes(line.bytes),
        ];
        row(&name, figures)
    };
    let heads =
        ["link", "util", "queue", "max", "wait p50", "wait p99", "mean wait", "transfer", "messages", "sent"];
    table("Bandwidth", &heads, summary.lines().map(of_line))
}

fn links(summary: &Summary) -> Table {
    let links = summary
        .links
        .iter()
        .map(|(name, link)| row(name, [count(link.sent), count(link.lost), share(link.lost, link.sent)]));
    table("Links", &["link", "messages", "lost", "share"], links)
}
