//! The plots of the probes of the scenario: one for each metric, in the order of the scenario.

use indexmap::IndexMap;

use super::super::{Plot, Section, Unit};
use super::lines::{Series, draw, value};
use crate::engine::time::SimDuration;
use crate::metrics::result::RunResult;
use crate::model::metric::Metric;
use crate::model::probe;

/// The title of the section.
pub(super) const TITLE: &str = "Probes";

/// The section with the plots of all probes, or `None` if there are none.
pub(super) fn section(result: &RunResult) -> Option<Section> {
    // Series of one probe have the same sample times; those of different probes may differ, and need separate plots.
    let mut sets: IndexMap<(&str, SimDuration, usize), Vec<&probe::Series>> = IndexMap::new();
    for series in &result.series {
        let count = series.samples.values().count();
        if count > 1 {
            sets.entry((series.metric.name, series.samples.every(), count)).or_default().push(series);
        }
    }
    let plots = sets.values().enumerate().map(|(number, series)| plot(number, series[0].metric, series));
    let plots: Vec<Plot> = plots.collect();
    (!plots.is_empty()).then(|| Section { title: TITLE.to_owned(), folded: true, plots, tables: Vec::new() })
}

fn plot(number: usize, metric: &Metric, series: &[&probe::Series]) -> Plot {
    let every = series[0].samples.every().as_seconds();
    let mut plot = Plot {
        id: format!("probe-{number}"),
        title: metric.name.replace('_', " "),
        caption: format!("Sampled every {}.", crate::format::numbers::time(Some(every))),
        unit: metric.unit,
        top: (metric.unit == Unit::Share).then_some(1.0),
        ..Plot::default()
    };
    let x: Vec<f64> = series[0].samples.iter().map(|(time, _)| time.as_seconds()).collect();
    let series: Vec<Series> = series
        .iter()
        .enumerate()
        .map(|(colour, series)| Series {
            subject: match &series.about {
                Some(about) => format!("{} ({about})", series.node),
                None => series.node.clone(),
            },
            colour,
            group: None,
            label: ("", 0),
            values: series.samples.values().map(value).collect(),
        })
        .collect();
    draw(&mut plot, &x, &series);
    plot
}
