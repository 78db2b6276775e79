//! The tiles at the top of the report: the verdict, requests offered, their outcomes, latency, and the busiest node.

use super::super::{Tile, Tone};
use crate::analysis::Verdict;
use crate::event::NodeKind;
use crate::format::numbers::{count, percent, share, time};
use crate::metrics::fleet::busiest;
use crate::metrics::summary::Summary;
use crate::model::figure::UTILIZATION;

/// The tiles of a run.
pub(super) fn tiles(summary: &Summary, verdict: Verdict) -> Vec<Tile> {
    let requests = &summary.requests;
    let offered = requests.offered;
    let tone = match verdict {
        Verdict::Healthy => Tone::Good,
        Verdict::InTrouble => Tone::Bad,
        Verdict::TooShort => Tone::Plain,
    };
    let mut tiles = vec![
        tile("verdict", verdict.text().to_owned(), String::new(), tone),
        tile("offered", count(offered), String::new(), Tone::Plain),
    ];
    let part = |label, number, tone| tile(label, count(number), share(number, offered), tone);
    for (outcome, number) in requests.iter() {
        // The number of completed requests is always shown, failures only if there are any.
        if number > 0 || !outcome.is_failure() {
            let tone = if outcome.is_failure() { Tone::Bad } else { Tone::Plain };
            tiles.push(part(outcome.label(), number, tone));
        }
    }
    if requests.in_flight() > 0 {
        tiles.push(part("in flight", requests.in_flight(), Tone::Plain));
    }
    let latency = &summary.latency.all;
    if latency.count > 0 {
        let median = time(latency.p50);
        tiles.push(tile("p99 latency", time(latency.p99), format!("median {median}"), Tone::Plain));
    }
    tiles.extend(busiest_node(summary));
    tiles
}

/// The tile of the busiest node, or `None` if no node is busy. Kinds with a utilization are tried in reverse order.
fn busiest_node(summary: &Summary) -> Option<Tile> {
    let can_be_busy = |kind: &NodeKind| kind.description().ranked_by.contains(&&UTILIZATION);
    let mut kinds = NodeKind::ALL.into_iter().rev().filter(can_be_busy);
    kinds.find_map(|kind| {
        let (name, node) = busiest(summary, kind, 1, |_| true).into_iter().next()?;
        let label = format!("busiest {}", kind.name());
        Some(tile(&label, percent(node.number(&UTILIZATION)), name.to_owned(), Tone::Plain))
    })
}

fn tile(label: &str, value: String, note: String, tone: Tone) -> Tile {
    Tile { label: label.to_owned(), value, note, tone }
}
