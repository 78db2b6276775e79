//! The figures that are seen first: what was offered, what became of it, and how long it took.

use super::super::{Tile, Tone};
use crate::format::numbers::{count, percent, share, time};
use crate::metrics::fleet::hottest;
use crate::metrics::summary::Summary;

/// The tiles of a run.
pub(super) fn tiles(summary: &Summary) -> Vec<Tile> {
    let requests = &summary.requests;
    let offered = requests.offered;
    let mut tiles = vec![tile("offered", count(offered), String::new(), Tone::Plain)];
    for (label, number, bad) in [
        ("completed", requests.completed, false),
        ("rejected", requests.rejected, true),
        ("timed out", requests.timed_out, true),
        ("dropped", requests.dropped, true),
        ("shed", requests.shed, true),
        ("in flight", requests.in_flight, false),
    ] {
        if number > 0 || label == "completed" {
            let tone = if bad { Tone::Bad } else { Tone::Plain };
            tiles.push(tile(label, count(number), share(number, offered), tone));
        }
    }
    let latency = &summary.latency.all;
    if latency.count > 0 {
        let median = time(latency.p50);
        tiles.push(tile("p99 latency", time(latency.p99), format!("median {median}"), Tone::Plain));
    }
    if let [(name, server)] = hottest(summary, 1, |_| true).as_slice() {
        tiles.push(tile("busiest server", percent(server.utilization), (*name).to_owned(), Tone::Plain));
    }
    tiles
}

fn tile(label: &str, value: String, note: String, tone: Tone) -> Tile {
    Tile { label: label.to_owned(), value, note, tone }
}
