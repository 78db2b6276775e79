//! The tables of links that lost messages, and of those with a bandwidth.

use super::MAX_ROWS;
use crate::format::columns::{BAD, PLAIN, Table};
use crate::format::numbers::{bytes, mean, percent, share, short_count, time};
use crate::metrics::summary::{LineSummary, Summary};

/// The links that lost messages, those with the most losses first.
pub(super) fn losses(summary: &Summary) -> String {
    let mut lossy: Vec<_> = summary.links.iter().filter(|(_, link)| link.lost > 0).collect();
    lossy.sort_by_key(|(_, link)| std::cmp::Reverse(link.lost));
    let mut table = Table::new("Links with losses", &["messages", "lost", "share"]);
    for (name, link) in lossy.iter().take(MAX_ROWS) {
        let lost = [(short_count(link.lost), BAD), (share(link.lost, link.sent), PLAIN)];
        table.painted_row(name, std::iter::once((short_count(link.sent), PLAIN)).chain(lost).collect());
    }
    table.more(lossy.len().saturating_sub(MAX_ROWS), "links");
    table.render()
}

/// The directions of links with a bandwidth, the busiest first.
pub(super) fn bandwidths(summary: &Summary) -> String {
    let mut lines: Vec<(String, &LineSummary)> = summary.lines().collect();
    let load = |line: &LineSummary| line.utilization.unwrap_or(0.0);
    lines.sort_by(|(_, a), (_, b)| load(b).total_cmp(&load(a)));
    let mut table = Table::new("Bandwidth", &["util", "queue", "max", "wait p50", "wait p99", "sent"]);
    for (name, line) in lines.iter().take(MAX_ROWS) {
        let figures = [
            percent(line.utilization),
            mean(line.waiting_mean),
            short_count(line.waiting_max.into()),
            time(line.wait.p50),
            time(line.wait.p99),
            bytes(line.bytes),
        ];
        table.painted_row(name, figures.map(|figure| (figure, PLAIN)).into());
    }
    table.more(lines.len().saturating_sub(MAX_ROWS), "links");
    table.render()
}
