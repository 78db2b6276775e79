//! Where the requests of the most frequent key went, a second: in the sample that every run keeps.

use super::super::{Plot, Section, Unit};
use super::lines::{Series, draw, value};
use crate::analysis::{Evidence, Finding};
use crate::engine::whole;
use crate::metrics::result::RunResult;

/// The heading.
pub(super) const TITLE: &str = "Keys";
/// A key that is less frequent is not worth a plot.
const LEAST_SHARE: f64 = 0.05;
/// Bars of the plot at most; of a shorter run one a second.
const MOST_BINS: f64 = 240.0;

/// The plot of the hot key, or else of the most frequent one.
pub(super) fn section(result: &RunResult, findings: &[Finding]) -> Option<Section> {
    let hot = findings.iter().find_map(|finding| match &finding.evidence {
        Evidence::HotKey(found) => Some(found.key),
        Evidence::Oscillation(_)
        | Evidence::KnowledgeLag(_)
        | Evidence::Convergence(_)
        | Evidence::Overload(_)
        | Evidence::Saturation(_)
        | Evidence::Rejection(_)
        | Evidence::Loss(_)
        | Evidence::LoadImbalance(_)
        | Evidence::Healthy(_) => None,
    });
    let key = hot.or_else(|| most_frequent(result))?;
    let end = result.end.as_seconds();
    let width = (end / MOST_BINS).max(1.0);
    let bins = whole((end / width).ceil());
    let mut counts = vec![vec![0.0; bins]; result.server_names.len()];
    for record in result.sample.records.iter().filter(|record| record.key == key) {
        if let Some(server) = record.server {
            let bin = whole(record.created.as_seconds() / width).min(bins - 1);
            counts[server as usize][bin] += result.sample.one_in as f64 / width;
        }
    }
    let servers =
        counts.into_iter().enumerate().filter(|(_, counts)| counts.iter().any(|count| *count > 0.0));
    let series: Vec<Series> = servers
        .map(|(row, counts)| Series {
            subject: result.server_names[row].clone(),
            colour: row,
            group: None,
            label: ("", 0),
            values: counts.into_iter().map(value).collect(),
        })
        .collect();
    if series.is_empty() {
        return None;
    }
    let mut plot = Plot {
        id: "key".to_owned(),
        title: format!("Where requests of key {key} went"),
        caption: "By the second in which they were born, and the server that they reached last.".to_owned(),
        unit: Unit::PerSecond,
        ..Plot::default()
    };
    let places: Vec<f64> = (0..bins).map(|bin| (bin as f64 + 0.5) * width).collect();
    draw(&mut plot, &places, &series);
    Some(Section { title: TITLE.to_owned(), plots: vec![plot], tables: Vec::new() })
}

fn most_frequent(result: &RunResult) -> Option<u32> {
    let mut keys: Vec<u32> = result.sample.records.iter().map(|record| record.key).collect();
    keys.sort_unstable();
    let most = keys.chunk_by(|a, b| a == b).rev().max_by_key(|run| run.len())?;
    let share = most.len() as f64 / keys.len() as f64;
    (most.len() < keys.len() && share >= LEAST_SHARE).then_some(most[0])
}
