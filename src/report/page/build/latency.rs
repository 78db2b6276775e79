//! The distribution of latencies, and the latency breakdown: time waiting, in service and on links.

use super::super::{Axis, Line, Plot, Section, Style, Table, Unit};
use super::lines::value;
use crate::engine::floor_to_usize;
use crate::format::numbers::{percent, time};
use crate::metrics::result::RunResult;
use crate::request::{Outcome, RequestRecord};

/// The title of the section.
pub(super) const TITLE: &str = "Latency";
/// The components of the latency of a request.
const COMPONENTS: [&str; 3] = ["waiting", "service", "links"];
/// Number of bars of a histogram per factor of two.
const BARS_PER_OCTAVE: f64 = 6.0;
/// Number of time bins of the breakdown over time.
const BINS: usize = 130;
/// Maximum number of sources with a histogram: those with the most samples are drawn.
const MAX_SOURCES: usize = 6;

/// The section with the latency histogram by source.
pub(super) fn distribution(result: &RunResult) -> Section {
    let mut sources: Vec<_> = result
        .sources
        .iter()
        .enumerate()
        .map(|(index, source)| (index, source, source.latency.summarize()))
        .collect();
    sources.retain(|(_, _, latency)| latency.count() > 0);
    sources.sort_by_key(|(index, _, latency)| (std::cmp::Reverse(latency.count()), *index));
    sources.truncate(MAX_SOURCES);
    sources.sort_by_key(|(index, ..)| *index);
    let bar = |nanos: u64| floor_to_usize(libm::log2(nanos.max(1) as f64) * BARS_PER_OCTAVE);
    let ranges = || sources.iter().flat_map(|(.., latency)| latency.histogram().ranges());
    let section = |plots| Section { title: TITLE.to_owned(), plots, ..Section::default() };
    let (Some(first), Some(last)) =
        (ranges().map(|(low, ..)| bar(low)).min(), ranges().map(|(low, ..)| bar(low)).max())
    else {
        return section(Vec::new());
    };
    let lines = sources.iter().map(|(index, source, latency)| {
        let mut bars = vec![0.0; last - first + 1];
        for (low, high, count) in latency.histogram().ranges() {
            bars[bar(low + (high - low) / 2).min(last) - first] += count as f64;
        }
        let y = bars.into_iter().map(value).chain([None]).collect();
        Line { name: source.name.clone(), colour: *index, style: Style::Bars, hidden: false, y }
    });
    let plot = Plot {
        id: "latency-histogram".to_owned(),
        title: "Distribution of latency".to_owned(),
        caption: if sources.len() > 1 {
            "Number of completed requests by latency, stacked by source."
        } else {
            "Number of completed requests by latency."
        }
        .to_owned(),
        unit: Unit::Count,
        axis: Axis::Latency,
        x: (first..=last + 1).map(|bar| libm::exp2(bar as f64 / BARS_PER_OCTAVE) / 1e9).collect(),
        lines: lines.collect(),
        ..Plot::default()
    };
    section(vec![plot])
}

/// The section with the latency breakdown of completed requests: over time, by source, and of the slowest 1 %.
pub(super) fn breakdown(result: &RunResult) -> Section {
    let from = result.identity.measured_from;
    let completed = |record: &&RequestRecord| {
        record.created >= from && record.finished.is_some_and(|(_, outcome)| outcome == Outcome::Completed)
    };
    let mut records: Vec<&RequestRecord> = result.sample.records.iter().filter(completed).collect();
    let mut section = Section { title: TITLE.to_owned(), ..Section::default() };
    if records.is_empty() {
        return section;
    }
    section.plots.push(breakdown_over_time(result, &records));
    let heads = ["", "requests", "latency"].into_iter().chain(COMPONENTS).chain(["waiting share"]);
    let mut table = Table {
        title: "Latency breakdown".to_owned(),
        heads: heads.map(str::to_owned).collect(),
        ..Table::default()
    };
    for (row, source) in (0..).zip(&result.sources).take(20) {
        let of_source: Vec<_> = records.iter().copied().filter(|record| record.source == row).collect();
        table.rows.extend(row_of(&source.name, &of_source));
    }
    records.sort_by_key(|record| std::cmp::Reverse(latency(record)));
    if result.sources.len() > 1 {
        table.rows.extend(row_of("all", &records));
    }
    table.rows.extend(row_of("the slowest 1 %", &records[..records.len().div_ceil(100)]));
    section.tables.push(table);
    section
}

fn latency(record: &RequestRecord) -> u64 {
    record.finished.map_or(0, |(at, _)| at.since(record.created).as_nanos())
}

/// Seconds spent in each of the [`COMPONENTS`].
fn components(record: &RequestRecord) -> [f64; COMPONENTS.len()] {
    let (waiting, service) = (record.waiting.as_nanos(), record.service.as_nanos());
    [waiting, service, latency(record).saturating_sub(waiting + service)].map(|nanos| nanos as f64 / 1e9)
}

fn mean_components(records: &[&RequestRecord]) -> Option<[f64; COMPONENTS.len()]> {
    let mut sums = [0.0; COMPONENTS.len()];
    for record in records {
        sums.iter_mut().zip(components(record)).for_each(|(sum, seconds)| *sum += seconds);
    }
    (!records.is_empty()).then(|| sums.map(|sum| sum / records.len() as f64))
}

fn row_of(name: &str, records: &[&RequestRecord]) -> Option<Vec<String>> {
    let means = mean_components(records)?;
    let total: f64 = means.iter().sum();
    let mut row =
        vec![name.to_owned(), crate::format::numbers::count(records.len() as u64), time(Some(total))];
    row.extend(means.map(|mean| time(Some(mean))));
    row.push(percent((total > 0.0).then(|| means[0] / total)));
    Some(row)
}

fn breakdown_over_time(result: &RunResult, records: &[&RequestRecord]) -> Plot {
    let end = result.end.as_seconds();
    let width = end / BINS as f64;
    let mut bins: Vec<Vec<&RequestRecord>> = vec![Vec::new(); BINS];
    for record in records {
        bins[floor_to_usize(record.created.as_seconds() / width).min(BINS - 1)].push(record);
    }
    let means: Vec<_> = bins.iter().map(|bin| mean_components(bin)).collect();
    let lines = COMPONENTS.into_iter().enumerate().map(|(component, name)| Line {
        name: name.to_owned(),
        colour: component,
        style: Style::Stacked,
        hidden: false,
        y: means.iter().map(|means| means.and_then(|means| value(means[component]))).collect(),
    });
    let is_visible = |line: &Line| line.y.iter().flatten().any(|value| *value > 1e-9);
    Plot {
        id: "where-the-time-went".to_owned(),
        title: "Latency breakdown over time".to_owned(),
        caption: "Mean times of completed requests, by time of creation.".to_owned(),
        unit: Unit::Seconds,
        x: (0..BINS).map(|bin| (bin as f64 + 0.5) * width).collect(),
        lines: lines.filter(is_visible).collect(),
        ..Plot::default()
    }
}
