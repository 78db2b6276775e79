//! How load and queues went over the run: a line of blocks for each server, or for groups and the hottest servers.

use super::servers::{are_few, hottest_members, parts};
use crate::format::columns::{BOLD, DIM, DRAWN, padded, paint, width};
use crate::format::numbers::{set_time, short};
use crate::metrics::fleet::servers;
use crate::metrics::summary::{ServerSummary, Summary};
use crate::metrics::timeline::Timeline;
use crate::model::server::{MEASURED_LOAD, QUEUE_DEPTH};
use crate::report::sparkline::{LONGEST, axis, fitted, sparkline};

/// The most columns of a name: with a line and its peak that makes 80.
const LONGEST_NAME: usize = 11;
/// The most groups and servers on their own that are drawn.
const MOST_PARTS: usize = 6;

/// Load and queue over time.
pub(super) fn lines(summary: &Summary, timeline: &Timeline) -> String {
    let rows = drawn(summary);
    let names = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(LONGEST_NAME);
    let course = |measure: &str| -> Vec<(String, Vec<f32>)> {
        let mean = |server: &ServerSummary| fitted(&timeline.mean_over_servers(measure, &server.rows));
        rows.iter().map(|(name, server)| (padded(name, names), mean(server))).collect()
    };
    let load = course(MEASURED_LOAD);
    if load.iter().all(|(_, values)| values.is_empty()) {
        return String::new();
    }
    let queue = course(QUEUE_DEPTH);
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

/// The servers and groups that are drawn, in the order of the scenario, then the hottest.
fn drawn(summary: &Summary) -> Vec<(String, &ServerSummary)> {
    if are_few(summary) {
        return servers(summary).map(|(name, server)| (name.to_owned(), server)).collect();
    }
    let groups = parts(summary).into_iter().take(MOST_PARTS).map(|(name, server, _)| (name, server));
    let hottest = hottest_members(summary).into_iter().map(|(name, server)| (name.to_owned(), server));
    groups.chain(hottest).collect()
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
