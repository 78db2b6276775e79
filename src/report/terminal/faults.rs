//! The table of faults.

use super::MAX_ROWS;
use crate::format::columns::{PLAIN, Table};
use crate::format::numbers::{short_count, time};
use crate::metrics::summary::Summary;

/// What happened of each fault.
pub(super) fn table(summary: &Summary) -> String {
    let mut table = Table::new("Faults", &["times", "in total", "each"]);
    for (name, fault) in summary.faults.iter().take(MAX_ROWS) {
        let of = fault.of.join(", ");
        let figures = [short_count(fault.count), time(Some(fault.seconds)), time(fault.seconds_each)];
        let name = format!("{name} ({of}: {})", fault.what);
        table.row(PLAIN, &name, figures.into_iter().collect());
    }
    table.more(summary.faults.len().saturating_sub(MAX_ROWS), "faults");
    table.render()
}
