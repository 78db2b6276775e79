//! Figures of nodes that are tables, as shares: requests by target.

use indexmap::IndexMap;

use super::MAX_ROWS;
use super::nodes::{are_few, entries};
use crate::event::NodeKind;
use crate::format::columns::{BOLD, WIDTH, padded, paint, shortened, width, wrapped};
use crate::format::numbers::{count, several, share};
use crate::metrics::fleet::of_kind;
use crate::metrics::summary::{NodeSummary, Summary};
use crate::model::names::Names;

/// Maximum number of targets of a node that are listed one by one.
const MAX_TARGETS: usize = 8;
/// Minimum width of the names of nodes.
const MIN_NAME_WIDTH: usize = 15;

/// The tables among the figures of a kind; empty if there are none.
pub(super) fn tables(summary: &Summary, names: &Names, kind: NodeKind) -> String {
    let rows: Vec<(String, &NodeSummary)> = if are_few(summary, kind) {
        of_kind(summary, kind).map(|(name, node)| (name.to_owned(), node)).collect()
    } else {
        entries(summary, names, kind).into_iter().map(|entry| (entry.label(), entry.figures)).collect()
    };
    let mut out = String::new();
    for (name, node) in rows.iter().take(MAX_ROWS) {
        node.tables().for_each(|(_, table)| out += &line(name, table));
    }
    if out.is_empty() {
        return out;
    }
    let title = kind.description().title;
    if let Some(more) = rows.len().checked_sub(MAX_ROWS + 1) {
        out += &format!("  ... and {} more {}\n", count(more as u64 + 1), title.to_lowercase());
    }
    paint(BOLD, title) + "\n" + &out
}

fn line(name: &str, table: &IndexMap<String, u64>) -> String {
    let total: u64 = table.values().sum();
    let text = if total == 0 {
        "no requests".to_owned()
    } else if table.len() <= MAX_TARGETS {
        let target = |(target, number): (&String, &u64)| {
            // Lines are not broken at no-break spaces.
            format!("{} {}", shortened(target, 24), share(*number, total)).replace(' ', "\u{a0}")
        };
        table.iter().map(target).collect::<Vec<_>>().join(", ")
    } else {
        let targets = count(table.len() as u64);
        let (min, max) = (table.values().min(), table.values().max());
        let [min, max] = [min, max].map(|number| count(number.copied().unwrap_or(0)));
        format!("{} to {targets} targets, {min} to {max} each", several(total, "request"))
    };
    let indent = 2 + MIN_NAME_WIDTH.max(width(name).min(24)) + 2;
    let lines = wrapped(&text, WIDTH - indent);
    let name = padded(name, indent - 4);
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\u{a0}', " ")).collect();
    format!("  {name}  {}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}
