//! The table of latencies of completed requests, as measured by their sources.

use super::MAX_ROWS;
use crate::format::columns::{BOLD, PLAIN, Table};
use crate::format::numbers::{short_count, time};
use crate::metrics::summary::{DurationStats, Summary};

/// Latencies by source, from intended times, by class, and in total.
pub(super) fn table(summary: &Summary) -> String {
    let mut table = Table::new("Latency", &["count", "p50", "p90", "p99", "p99.9", "max", "mean"]);
    let latency = &summary.latency;
    if latency.all.count == 0 {
        return String::new();
    }
    for (name, of_source) in latency.by_source.iter().take(MAX_ROWS) {
        table.row(PLAIN, name, figures(of_source));
    }
    table.more(latency.by_source.len().saturating_sub(MAX_ROWS), "sources");
    for (name, intended) in latency.from_intended.iter().take(MAX_ROWS) {
        table.row(PLAIN, &format!("{name}, intended"), figures(intended));
    }
    for (name, of_class) in latency.by_class.iter().take(MAX_ROWS) {
        table.row(PLAIN, &format!("class {name}"), figures(of_class));
    }
    if latency.by_source.len() > 1 {
        table.row(BOLD, "all", figures(&latency.all));
    }
    table.render()
}

fn figures(latency: &DurationStats) -> Vec<String> {
    let times = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max, latency.mean];
    std::iter::once(short_count(latency.count)).chain(times.into_iter().map(time)).collect()
}
