//! The tables: fates and latencies by source and class, and the figures of nodes.

use super::super::{Section, Table};
use super::{latency, views};
use crate::format::numbers::{count, mean, percent, time};
use crate::metrics::fleet::hottest;
use crate::metrics::summary::{FateCounts, Latency, NodeSummary, ServerSummary, Summary};

/// Rows of a table at most.
const MOST_ROWS: usize = 50;

/// The tables of a run, each in the section that it belongs to.
pub(super) fn tables(summary: &Summary) -> Vec<Section> {
    let section = |title: &str, tables: Vec<Table>| Section {
        title: title.to_owned(),
        tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
        ..Section::default()
    };
    vec![
        section(views::REQUESTS, vec![fates(summary)]),
        section(latency::TITLE, vec![latencies(summary)]),
        section(views::SERVERS, vec![servers(summary)]),
        section(views::CLIENTS, vec![clients(summary)]),
        section("Links", vec![links(summary)]),
    ]
}

fn table(title: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut rows: Vec<_> = rows.collect();
    let omitted = rows.len().saturating_sub(MOST_ROWS);
    rows.truncate(MOST_ROWS);
    Table {
        title: title.to_owned(),
        heads: heads.iter().map(|&head| head.to_owned()).collect(),
        rows,
        omitted,
    }
}

fn fates(summary: &Summary) -> Table {
    let row = |name: &str, fates: &FateCounts| {
        let FateCounts { offered, completed, rejected, timed_out, dropped, shed, in_flight } = *fates;
        let counts = [offered, completed, rejected, timed_out, dropped, shed, in_flight].map(count);
        std::iter::once(name.to_owned()).chain(counts).collect()
    };
    let heads = ["source", "offered", "completed", "rejected", "timed out", "dropped", "shed", "in flight"];
    let all = (summary.sources.len() > 1).then(|| row("all", &summary.requests));
    let sources = summary.sources.iter().map(|(name, source)| row(name, &source.requests));
    let mut table = table("What became of requests", &heads, all.into_iter().chain(sources));
    // A fate that nothing came to is not worth a column.
    let last = heads.len() - 1;
    let kept: Vec<usize> = (0..heads.len())
        .filter(|&at| at < 3 || at == last || table.rows.iter().any(|row| row[at] != "0"))
        .collect();
    let narrow = |row: &[String]| -> Vec<String> { kept.iter().map(|&at| row[at].clone()).collect() };
    table.heads = narrow(&table.heads);
    table.rows = table.rows.iter().map(|row| narrow(row)).collect();
    table
}

fn latencies(summary: &Summary) -> Table {
    let row = |name: &str, latency: &Latency| {
        let Latency { p50, p90, p95, p99, p999, max, mean, .. } = *latency;
        let times = [p50, p90, p95, p99, p999, max, mean].map(time);
        [name.to_owned(), count(latency.count)].into_iter().chain(times).collect()
    };
    let latency = &summary.latency;
    let all = (latency.by_source.len() > 1).then(|| row("all", &latency.all));
    let sources = latency.by_source.iter().map(|(name, latency)| row(name, latency));
    let classes = latency.by_class.iter().map(|(name, latency)| row(&format!("class {name}"), latency));
    let heads = ["source", "completed", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"];
    table("Latency of completed requests", &heads, all.into_iter().chain(sources).chain(classes))
}

fn servers(summary: &Summary) -> Table {
    let row = |name: &str, server: &ServerSummary| {
        vec![
            name.to_owned(),
            count(server.arrived),
            count(server.completed),
            count(server.rejected),
            percent(server.utilization),
            mean(server.queue_depth_mean),
            count(u64::from(server.queue_depth_max)),
            time(server.wait.mean),
            time(server.wait.p99),
            time(server.service.mean),
        ]
    };
    let groups = summary.groups.iter().filter_map(|(name, group)| {
        let name = crate::format::numbers::group(name, group.members.len());
        group.figures.as_server().map(|server| row(&name, server))
    });
    let each = summary.nodes.iter().filter_map(|(name, node)| Some((name.as_str(), node.as_server()?)));
    let mut each: Vec<_> = each.collect();
    let all = each.len();
    let mut title = "Servers".to_owned();
    if all > MOST_ROWS {
        each = hottest(summary, MOST_ROWS, |_| true);
        title = format!("The busiest of {} servers", count(all as u64));
    }
    let heads = [
        "server",
        "arrived",
        "served",
        "rejected",
        "utilization",
        "mean queue",
        "max queue",
        "mean wait",
        "p99 wait",
        "mean service",
    ];
    let left_out = all - each.len();
    let each = each.into_iter().map(|(name, server)| row(name, server));
    let mut table = table(&title, &heads, groups.chain(each));
    table.omitted += left_out;
    table
}

fn clients(summary: &Summary) -> Table {
    let clients = summary.nodes.iter().filter_map(|(name, node)| match node {
        NodeSummary::Client(client) => Some(
            [name.clone()]
                .into_iter()
                .chain([client.requests, client.responses, client.rehashed, client.retries].map(count))
                .collect(),
        ),
        NodeSummary::LoadBalancer(_) | NodeSummary::Server(_) => None,
    });
    table("Clients", &["client", "requests", "responses", "sent elsewhere", "retries"], clients)
}

fn links(summary: &Summary) -> Table {
    let links = summary.links.iter().map(|(name, link)| {
        vec![
            name.clone(),
            count(link.sent),
            count(link.lost),
            crate::format::numbers::share(link.lost, link.sent),
        ]
    });
    table("Links", &["link", "messages", "lost", "share"], links)
}
