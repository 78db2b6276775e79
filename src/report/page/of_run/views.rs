//! The plots of what parts measured of themselves: each measure names the view that it belongs to.

use indexmap::IndexMap;

use super::super::{Plot, Section, Threshold, Unit};
use super::lines::{Series, draw, is_empty};
use crate::engine::whole;
use crate::event::Node;
use crate::metrics::result::{NodeFigures, RunResult};
use crate::metrics::timeline::{Course, Subject};
use crate::model::measure::{Limit, View};
use crate::model::server::MEASURED_LOAD;
use crate::scenario::Scenario;

/// Sections that the page puts in order; those of parts to come follow them.
pub(super) const SERVERS: &str = "Servers";
pub(super) const CLIENTS: &str = "Clients";
pub(super) const REQUESTS: &str = "Requests";

/// Shares and what is counted are shown in so many bins at most: in finer ones chance is all that one sees.
const MOST_BINS: usize = 240;
/// What is rare is shown in fewer bins, but not in fewer than these,
const FEWEST_BINS: usize = 60;
/// so that the busiest has about so many in each: chance makes them a quarter more or less.
const COUNTED_IN_A_BIN: f64 = 16.0;

/// So many servers have their load drawn beside what is believed of it: those of which most is believed.
const MOST_BELIEFS: usize = 4;

/// The sections of all views that show anything.
pub(super) fn sections(scenario: &Scenario, result: &RunResult) -> Vec<Section> {
    let limits: Vec<Limit> = scenario.nodes.iter().flat_map(|(name, node)| node.limits(name)).collect();
    let stage = Stage { result, names: Names::of(result), limits };
    let mut views: Vec<&'static View> =
        result.timeline.courses.iter().map(|course| course.measure.view).collect();
    let mut seen: Vec<&'static View> = Vec::new();
    views.retain(|view| {
        let new = !seen.contains(view);
        if new {
            seen.push(view);
        }
        new
    });
    let sections = views.into_iter().map(|view| {
        let courses: Vec<usize> = (0..result.timeline.courses.len())
            .filter(|&at| result.timeline.courses[at].measure.view == view)
            .collect();
        let beliefs =
            courses.iter().any(|&at| matches!(result.timeline.courses[at].subject, Subject::Belief { .. }));
        let plots = if beliefs {
            stage.beliefs(view, &courses)
        } else {
            stage.plot(view, &courses).into_iter().collect()
        };
        Section { title: view.section.to_owned(), plots, ..Section::default() }
    });
    sections.collect()
}

/// What plots are made of.
struct Stage<'a> {
    result: &'a RunResult,
    names: Names<'a>,
    limits: Vec<Limit>,
}

/// Names and groups of subjects by row.
struct Names<'a> {
    clients: Vec<(&'a str, Option<&'a str>)>,
    servers: Vec<(&'a str, Option<&'a str>)>,
    load_balancers: Vec<(&'a str, Option<&'a str>)>,
    sources: Vec<(&'a str, Option<&'a str>)>,
    links: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Names<'a> {
    fn of(result: &'a RunResult) -> Self {
        let nodes = |wanted: fn(&NodeFigures) -> bool| {
            let nodes = result.nodes.iter().filter(move |node| wanted(&node.figures));
            nodes.map(|node| (node.name.as_str(), node.group.as_deref())).collect()
        };
        Self {
            clients: nodes(|figures| matches!(figures, NodeFigures::Client { .. })),
            servers: nodes(|figures| matches!(figures, NodeFigures::Server(_))),
            load_balancers: nodes(|figures| matches!(figures, NodeFigures::LoadBalancer { .. })),
            sources: result.sources.iter().map(|source| (source.name.as_str(), None)).collect(),
            links: result.links.iter().map(|link| (link.name.as_str(), None)).collect(),
        }
    }

    /// Name, group and number of a subject among its like.
    fn subject(&self, subject: Subject) -> (&'a str, Option<&'a str>, usize) {
        let (names, row) = match subject {
            Subject::Node(Node::Source(row)) => (&self.sources, row),
            Subject::Node(Node::LoadBalancer(row)) => (&self.load_balancers, row),
            Subject::Node(Node::Client(row)) => (&self.clients, row),
            Subject::Node(Node::Server(row)) | Subject::Belief { server: row, .. } => (&self.servers, row),
            Subject::Link(row) => (&self.links, row),
        };
        let (name, group) = names[row as usize];
        (name, group, row as usize)
    }
}

impl Stage<'_> {
    fn plot(&self, view: &'static View, courses: &[usize]) -> Option<Plot> {
        let labels = labels(courses.iter().map(|&at| &self.result.timeline.courses[at]));
        let bin = self.bin(view, courses);
        let mut series: Vec<Series> = courses.iter().map(|&at| self.series(at, &labels, bin)).collect();
        // What never happened to anyone is not worth a line.
        for number in (0..labels.len()).filter(|_| labels.len() > 1) {
            let alike = |series: &&Series| series.label.1 == number;
            if is_empty(series.iter().filter(alike)) {
                series.retain(|series| !alike(&series));
            }
        }
        if is_empty(series.iter()) {
            return None;
        }
        let mut plot = Plot {
            id: view.id.to_owned(),
            title: view.title.to_owned(),
            caption: view.caption.to_owned(),
            unit: view.unit,
            thresholds: self.thresholds(&self.result.timeline.courses[courses[0]], &series),
            top: (view.unit == Unit::Share).then_some(1.0),
            ..Plot::default()
        };
        draw(&mut plot, &self.places(bin), &series);
        Some(plot)
    }

    /// Of each server of which something is believed: that, and what its load was.
    fn beliefs(&self, view: &'static View, courses: &[usize]) -> Vec<Plot> {
        let mut about: Vec<(u32, f64)> = Vec::new();
        for &at in courses {
            if let Subject::Belief { server, .. } = self.result.timeline.courses[at].subject {
                let believed: f64 =
                    self.result.timeline.course(at).filter(|value| value.is_finite()).map(f64::from).sum();
                match about.iter_mut().find(|(other, _)| *other == server) {
                    Some((_, most)) => *most = most.max(believed),
                    None => about.push((server, believed)),
                }
            }
        }
        about.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        about.truncate(MOST_BELIEFS);
        about.into_iter().filter_map(|(server, _)| self.belief(view, courses, server)).collect()
    }

    fn belief(&self, view: &'static View, courses: &[usize], server: u32) -> Option<Plot> {
        let actual = self.result.timeline.position(Subject::Node(Node::Server(server)), MEASURED_LOAD)?;
        let bin = self.bin(view, courses);
        let mut series = vec![self.series(actual, &[""], bin)];
        series[0].label = ("actual", 0);
        for &at in courses {
            let Subject::Belief { first, server: of, .. } = self.result.timeline.courses[at].subject else {
                continue;
            };
            if of != server {
                continue;
            }
            let mut belief = self.series(at, &[""], bin);
            let (name, group, row) = self.names.subject(Subject::Node(Node::Client(first)));
            belief.subject = format!("perceived by {}", group.unwrap_or(name));
            belief.colour = self.names.servers.len() + row;
            belief.label = ("", 1);
            series.push(belief);
        }
        let (name, ..) = self.names.subject(Subject::Node(Node::Server(server)));
        let mut plot = Plot {
            id: format!("{}-{server}", view.id),
            title: format!("{} of {name}", view.title),
            caption: view.caption.to_owned(),
            unit: view.unit,
            thresholds: self.thresholds(&self.result.timeline.courses[courses[0]], &series),
            top: Some(1.0),
            ..Plot::default()
        };
        draw(&mut plot, &self.places(bin), &series);
        Some(plot)
    }

    fn series(&self, at: usize, labels: &[&'static str], bin: usize) -> Series {
        let Course { subject, measure } = self.result.timeline.courses[at];
        let (name, group, row) = self.names.subject(subject);
        let number = labels.iter().position(|label| *label == measure.label).unwrap_or(0);
        Series {
            subject: name.to_owned(),
            colour: row,
            group: group.map(str::to_owned),
            label: (measure.label, number),
            values: self.values(at, bin),
        }
    }

    /// How many slices are shown as one.
    fn bin(&self, view: &View, courses: &[usize]) -> usize {
        let timeline = &self.result.timeline;
        let is_share = courses.iter().any(|&at| timeline.courses[at].measure.share_of.is_some());
        let bins = match view.unit {
            Unit::Seconds => return timeline.lap.max(1),
            Unit::Count if !is_share => return 1,
            Unit::Share if !is_share => MOST_BINS,
            Unit::Share | Unit::Count | Unit::PerSecond => {
                let most = courses.iter().map(|&at| self.counted(at)).fold(0.0, f64::max);
                whole(most / COUNTED_IN_A_BIN).clamp(FEWEST_BINS, MOST_BINS)
            }
        };
        timeline.slices().div_ceil(bins).max(1)
    }

    /// How many there were in all of what a course counts, or of what it is a share of.
    fn counted(&self, at: usize) -> f64 {
        let timeline = &self.result.timeline;
        let Course { subject, measure } = timeline.courses[at];
        let counted = measure.share_of.and_then(|whole| timeline.position(subject, whole)).unwrap_or(at);
        let rates = timeline.course(counted).filter(|rate| rate.is_finite());
        rates.map(f64::from).sum::<f64>() * timeline.slice.as_seconds()
    }

    /// What is shown of a course.
    fn values(&self, at: usize, bin: usize) -> Vec<Option<f32>> {
        let timeline = &self.result.timeline;
        let Course { subject, measure } = timeline.courses[at];
        let own: Vec<f32> = timeline.course(at).collect();
        let whole = measure.share_of.and_then(|whole| timeline.find(subject, whole));
        let Some(whole) = whole.map(Iterator::collect::<Vec<f32>>) else {
            return own.chunks(bin).map(mean).collect();
        };
        let share = |(own, whole): (&[f32], &[f32])| {
            let (own, whole) = (own.iter().sum::<f32>(), whole.iter().sum::<f32>());
            (whole > 0.0).then(|| own / whole)
        };
        own.chunks(bin).zip(whole.chunks(bin)).map(share).collect()
    }

    /// Limits that are near enough to what was measured to be seen.
    fn thresholds(&self, course: &Course, series: &[Series]) -> Vec<Threshold> {
        let most = series.iter().flat_map(|series| &series.values).flatten().copied().fold(0.0, f32::max);
        let limits = self.limits.iter().filter(|limit| limit.measure == course.measure.name);
        let near = limits.filter(|limit| limit.value <= 1.0 || limit.value <= 3.0 * f64::from(most));
        let mut alike: IndexMap<(u64, &str), Vec<&str>> = IndexMap::new();
        for limit in near {
            let owners = alike.entry((limit.value.to_bits(), limit.meaning)).or_default();
            if !owners.contains(&limit.owner.as_str()) {
                owners.push(&limit.owner);
            }
        }
        let threshold = |((value, meaning), owners): ((u64, &str), Vec<&str>)| Threshold {
            value: f64::from_bits(value),
            label: match owners.as_slice() {
                [first, second, _, ..] => format!("{first}, {second} and others: {meaning}"),
                owners => format!("{}: {meaning}", owners.join(", ")),
            },
        };
        alike.into_iter().map(threshold).collect()
    }

    /// The middles of the slices, so many of them as one.
    fn places(&self, bin: usize) -> Vec<f64> {
        let (slice, slices) = (self.result.timeline.slice.as_seconds(), self.result.timeline.slices());
        let middle = |first: usize| slice * (first + (first + bin).min(slices)) as f64 / 2.0;
        (0..slices).step_by(bin).map(middle).collect()
    }
}

/// The mean of the values that there are.
fn mean(values: &[f32]) -> Option<f32> {
    let present = || values.iter().copied().filter(|value| value.is_finite());
    let count = present().count();
    (count > 0).then(|| present().sum::<f32>() / count as f32)
}

/// The different labels of a view, in order.
fn labels<'a>(courses: impl Iterator<Item = &'a Course>) -> Vec<&'static str> {
    let mut labels = Vec::new();
    for course in courses {
        if !labels.contains(&course.measure.label) {
            labels.push(course.measure.label);
        }
    }
    labels
}
