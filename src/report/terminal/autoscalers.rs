//! The table of autoscalers.

use super::MAX_ROWS;
use crate::format::columns::{PLAIN, Table};
use crate::format::numbers::short_count;
use crate::metrics::summary::Summary;
use crate::model::autoscaler::ScalingCounts;

/// What each autoscaler has done.
pub(super) fn table(summary: &Summary) -> String {
    let mut table = Table::new("Autoscalers", &["decisions", "times up", "added", "times down", "removed"]);
    for (name, autoscaler) in summary.autoscalers.iter().take(MAX_ROWS) {
        let ScalingCounts { decisions, ups, downs, added, removed } = autoscaler.counts;
        let figures = [decisions, ups, added, downs, removed].map(short_count);
        let name = if *name == autoscaler.of { name.clone() } else { format!("{name} ({})", autoscaler.of) };
        table.row(PLAIN, &name, figures.into_iter().collect());
    }
    table.more(summary.autoscalers.len().saturating_sub(MAX_ROWS), "autoscalers");
    table.render()
}
