//! Utilization and queues over time: a sparkline for each node with a utilization, or of many nodes, for groups and the
//! busiest nodes.

use super::nodes::{are_few, busiest_members, entries};
use crate::event::{Node, NodeKind, NodeRange};
use crate::format::columns::{BOLD, DIM, DRAWN, padded, paint, width};
use crate::format::numbers::{set_time, short};
use crate::metrics::fleet::of_kind;
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::model::metric::{Metric, QUEUE_DEPTH, Subject, UTILIZATION};
use crate::report::sparkline::{MAX_CHARACTERS, axis, fitted, sparkline};

/// Maximum width of a name: with a sparkline and its peak that makes 80 columns.
const MAX_NAME_WIDTH: usize = 11;
/// Maximum number of groups, and nodes in no group, that are drawn.
const MAX_ENTRIES: usize = 6;

/// Whether nodes of a kind are drawn: those whose utilization was recorded.
pub(super) fn is_drawn(result: &RunResult, kind: NodeKind) -> bool {
    result.timeline.keys.iter().any(|key| match key.subject {
        Subject::Node(node) => node.kind() == kind && *key.metric == UTILIZATION,
        Subject::Resource { .. } | Subject::Link(_) | Subject::Line(_) | Subject::Estimate { .. } => false,
    })
}

/// Utilization and queues over time of the nodes of these kinds.
pub(super) fn lines(summary: &Summary, result: &RunResult, kinds: &[NodeKind]) -> String {
    let rows: Vec<_> = kinds.iter().flat_map(|kind| drawn(summary, result, *kind)).collect();
    let names = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(MAX_NAME_WIDTH);
    let series = |metric: &Metric| -> Vec<(String, Vec<f32>)> {
        let mean = |nodes: &[Node]| fitted(&result.timeline.mean_over(metric, nodes));
        let series = rows.iter().map(|(name, nodes)| (padded(name, names), mean(nodes)));
        series.filter(|(_, values)| !values.is_empty()).collect()
    };
    let utilization = series(&UTILIZATION);
    if utilization.is_empty() {
        return String::new();
    }
    let queue = series(&QUEUE_DEPTH);
    let top = queue.iter().flat_map(|(_, values)| values).copied().fold(0.0, f32::max);
    let percent = |share: f32| format!("{:.0}%", share * 100.0);
    let depth = |requests: f32| short(f64::from(requests));
    let utilization = section("Utilization over time", "peak", &utilization, 1.0, percent);
    let axis = axis(3 + names, ticks(summary).each_ref().map(String::as_str));
    let axis = paint(DIM, &axis) + "\n";
    if top <= 0.0 {
        return utilization + &axis;
    }
    let queue = section("Queue over time", "peak", &queue, top, depth);
    format!("{utilization}{axis}\n{queue}{axis}")
}

/// The nodes and groups of a kind that are drawn, in the order of the scenario, then the busiest nodes: displayed
/// names, each with the nodes over which values are averaged.
fn drawn(summary: &Summary, result: &RunResult, kind: NodeKind) -> Vec<(String, Vec<Node>)> {
    let names = result.names();
    let nodes = |name: &str| names.range(name).map(NodeRange::nodes).into_iter().flatten().collect();
    let node = |name: &str| (name.to_owned(), nodes(name));
    if are_few(summary, kind) {
        return of_kind(summary, kind).map(|(name, _)| node(name)).collect();
    }
    let entries = entries(summary, names, kind).into_iter().take(MAX_ENTRIES);
    let entries = entries.map(|entry| (entry.label(), nodes(entry.name)));
    let busiest = busiest_members(summary, kind).into_iter().map(|(name, _)| node(name));
    entries.chain(busiest).collect()
}

fn section(
    title: &str,
    peak: &str,
    rows: &[(String, Vec<f32>)],
    top: f32,
    show: impl Fn(f32) -> String,
) -> String {
    let names = rows.first().map_or(0, |(name, _)| width(name));
    let gap = (3 + names + MAX_CHARACTERS + 5).saturating_sub(title.len());
    let mut out = paint(BOLD, title) + &paint(DIM, &format!("{peak:>gap$}")) + "\n";
    for (name, values) in rows {
        let line = sparkline(values, top);
        let padding = " ".repeat(MAX_CHARACTERS.saturating_sub(width(&line)));
        let peak = values.iter().copied().fold(0.0, f32::max);
        out += &format!("  {name} {}{padding} {:>4}\n", paint(DRAWN, &line), show(peak));
    }
    out
}

fn ticks(summary: &Summary) -> [String; 3] {
    [0.0, summary.virtual_seconds / 2.0, summary.virtual_seconds].map(|seconds| {
        let text = set_time(seconds);
        // Half the length of a run may be a long number.
        if text.len() <= 12 { text } else { crate::format::numbers::time(Some(seconds)) }
    })
}
