//! Where requests waited: a row for each server, or where there are many, for each group and the hottest of all.

use anstyle::Style;

use super::MOST_ROWS;
use crate::format::columns::{BAD, BOLD, PLAIN, Table};
use crate::format::numbers::{NONE, count, group as group_name, mean, percent, short, short_count, time};
use crate::metrics::fleet::{Range, across, hottest, servers};
use crate::metrics::summary::{GroupSummary, ServerSummary, Summary};

/// How many of the hottest servers are shown.
const HOTTEST: usize = 5;

/// Utilization from which on a server is shown as hot.
const HOT: f64 = 0.9;

/// Whether there are few enough servers to show each.
pub(super) fn are_few(summary: &Summary) -> bool {
    servers(summary).count() <= MOST_ROWS
}

/// Groups of servers, and servers on their own, in the order of the scenario: the name to show, and the figures.
pub(super) fn parts(summary: &Summary) -> Vec<(String, &ServerSummary, Option<&GroupSummary>)> {
    let in_groups = in_groups(summary);
    let mut parts = Vec::new();
    for (name, group) in &summary.groups {
        let Some(server) = group.figures.as_server() else { continue };
        parts.push((group.members[0], (group_name(name, group.members.len()), server, Some(group))));
    }
    for (index, (name, node)) in summary.nodes.iter().enumerate() {
        if let Some(server) = node.as_server().filter(|_| !in_groups[index]) {
            parts.push((index, (name.clone(), server, None)));
        }
    }
    parts.sort_by_key(|(first, _)| *first);
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The table of servers.
pub(super) fn table(summary: &Summary) -> String {
    let heads = ["util", "queue", "max", "wait p50", "wait p99", "served", "rejected"];
    let mut table = Table::new("Servers", &heads);
    if are_few(summary) {
        for (name, server) in servers(summary) {
            table.painted_row(name, figures(server, PLAIN));
        }
        for (name, server, group) in parts(summary) {
            if group.is_some_and(|group| group.members.len() > 1) {
                table.painted_row(&name, figures(server, BOLD));
            }
        }
        return table.render();
    }
    let parts = parts(summary);
    for (name, server, group) in parts.iter().take(MOST_ROWS) {
        table.painted_row(name, figures(server, PLAIN));
        let ranges = group.filter(|group| group.members.len() > 1).map(|group| ranges(summary, group));
        for (what, figures) in ranges.into_iter().flatten() {
            table.row(crate::format::columns::DIM, what, figures);
        }
    }
    if let Some(more) = parts.len().checked_sub(MOST_ROWS + 1) {
        table.note(&format!("... and {} more", count(more as u64 + 1)));
    }
    let hottest = hottest_members(summary);
    if !hottest.is_empty() {
        table.note("the hottest:");
    }
    for (name, server) in hottest {
        table.painted_row(name, figures(server, PLAIN));
    }
    table.render()
}

/// The hottest of the servers that are not shown on their own already.
pub(super) fn hottest_members(summary: &Summary) -> Vec<(&str, &ServerSummary)> {
    let in_groups = in_groups(summary);
    hottest(summary, HOTTEST, |index| in_groups[index])
}

/// Of each node whether it belongs to a group.
pub(super) fn in_groups(summary: &Summary) -> Vec<bool> {
    let mut in_groups = vec![false; summary.nodes.len()];
    for member in summary.groups.values().flat_map(|group| &group.members) {
        in_groups[*member] = true;
    }
    in_groups
}

fn figures(server: &ServerSummary, style: Style) -> Vec<(String, Style)> {
    let hot = server.utilization.is_some_and(|share| share >= HOT);
    vec![
        (percent(server.utilization), if hot { BAD } else { style }),
        (mean(server.queue_depth_mean), style),
        (short_count(u64::from(server.queue_depth_max)), style),
        (time(server.wait.p50), style),
        (time(server.wait.p99), style),
        (short_count(server.completed), style),
        (short_count(server.rejected), if server.rejected > 0 { BAD } else { style }),
    ]
}

/// How the members of a group differ: a row each for the least, the middle and the most of every figure.
fn ranges(summary: &Summary, group: &GroupSummary) -> Vec<(&'static str, Vec<String>)> {
    let over = |figure: fn(&ServerSummary) -> Option<f64>| across(summary, &group.members, figure);
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let columns: [(Option<Range>, fn(Option<f64>) -> String); 7] = [
        (over(|server| server.utilization), percent),
        (over(|server| server.queue_depth_mean), mean),
        (over(|server| Some(f64::from(server.queue_depth_max))), whole),
        (over(|server| server.wait.p50), time),
        (over(|server| server.wait.p99), time),
        (over(|server| Some(server.completed as f64)), whole),
        (over(|server| Some(server.rejected as f64)), whole),
    ];
    let row = |pick: fn(Range) -> f64| columns.iter().map(|(range, show)| show(range.map(pick))).collect();
    vec![
        ("  least", row(|range| range.min)),
        ("  median", row(|range| range.median)),
        ("  most", row(|range| range.max)),
    ]
}

/// A whole number that was made a float to be compared.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was made of a count")]
fn whole(number: Option<f64>) -> String {
    match number {
        None => NONE.to_owned(),
        Some(number) if number < 1e7 => count(number as u64),
        Some(number) => short(number),
    }
}
