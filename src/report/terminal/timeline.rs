//! How utilization and queues went over the run: a line of blocks for each node that has slots, or for groups and the
//! busiest nodes.

use super::nodes::{are_few, busiest_members, entries};
use crate::event::{Node, NodeKind, NodeRange};
use crate::format::columns::{BOLD, DIM, DRAWN, padded, paint, width};
use crate::format::numbers::{set_time, short};
use crate::metrics::fleet::of_kind;
use crate::metrics::result::RunResult;
use crate::metrics::summary::Summary;
use crate::model::metric::{Metric, QUEUE_DEPTH, Subject, UTILIZATION};
use crate::report::sparkline::{LONGEST, axis, fitted, sparkline};

/// The most columns of a name: with a line and its peak that makes 80.
const MAX_NAME_WIDTH: usize = 11;
/// The most groups and nodes on their own that are drawn.
const MAX_ENTRIES: usize = 6;

/// Whether the utilization of nodes of a kind was recorded, so that they are drawn.
pub(super) fn is_drawn(result: &RunResult, kind: NodeKind) -> bool {
    result.timeline.keys.iter().any(|key| match key.subject {
        Subject::Node(node) => node.kind() == kind && *key.metric == UTILIZATION,
        Subject::Link(_) | Subject::Estimate { .. } => false,
    })
}

/// Utilization and queues over time, of nodes of these kinds.
pub(super) fn lines(summary: &Summary, result: &RunResult, kinds: &[NodeKind]) -> String {
    let rows: Vec<_> = kinds.iter().flat_map(|kind| drawn(summary, result, *kind)).collect();
    let names = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(MAX_NAME_WIDTH);
    let series = |metric: &Metric| -> Vec<(String, Vec<f32>)> {
        let mean = |nodes: &[Node]| fitted(&result.timeline.mean_over(metric, nodes));
        let series = rows.iter().map(|(name, nodes)| (padded(name, names), mean(nodes)));
        series.filter(|(_, values)| !values.is_empty()).collect()
    };
    let load = series(&UTILIZATION);
    if load.is_empty() {
        return String::new();
    }
    let queue = series(&QUEUE_DEPTH);
    let top = queue.iter().flat_map(|(_, values)| values).copied().fold(0.0, f32::max);
    let percent = |share: f32| format!("{:.0}%", share * 100.0);
    let depth = |requests: f32| short(f64::from(requests));
    let load = section("Utilization over time", "peak", &load, 1.0, percent);
    let axis = axis(3 + names, ticks(summary).each_ref().map(String::as_str));
    let axis = paint(DIM, &axis) + "\n";
    if top <= 0.0 {
        return load + &axis;
    }
    let queue = section("Queue over time", "peak", &queue, top, depth);
    format!("{load}{axis}\n{queue}{axis}")
}

/// The nodes and groups of a kind that are drawn, in the order of the scenario, then the busiest: names to show, and
/// the nodes that each stands for.
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
    let gap = (3 + names + LONGEST + 5).saturating_sub(title.len());
    let mut out = paint(BOLD, title) + &paint(DIM, &format!("{peak:>gap$}")) + "\n";
    for (name, values) in rows {
        let line = sparkline(values, top);
        let rest = " ".repeat(LONGEST.saturating_sub(width(&line)));
        let peak = values.iter().copied().fold(0.0, f32::max);
        out += &format!("  {name} {}{rest} {:>4}\n", paint(DRAWN, &line), show(peak));
    }
    out
}

fn ticks(summary: &Summary) -> [String; 3] {
    [0.0, summary.virtual_seconds / 2.0, summary.virtual_seconds].map(|seconds| {
        let text = set_time(seconds);
        // The middle of a run may be no round number.
        if text.len() <= 12 { text } else { crate::format::numbers::time(Some(seconds)) }
    })
}
