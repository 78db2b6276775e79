//! The timeline: what every part measured of itself, in equal slices of the run. Every run has it, whether or not the
//! scenario names a probe: reports are drawn from it and findings are drawn out of it.

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::model::measure::{Cell, Measure, Readings};

/// Slices of a short run: in a plot about one a pixel.
const SLICES: u64 = 1200;
/// Slices of a run of any length, and how many it has a second at most once it has [`SLICES`]: what takes some seconds
/// shall be seen in a run of half an hour.
const MOST_SLICES: u64 = 4096;
const SLICES_A_SECOND: f64 = 4.0;
/// A terminal of 80 columns has room for a name, a sparkline of as many, and a figure.
const FEWEST_SLICES: u64 = 60;
/// Laps of a run.
const LAPS: u64 = 120;
/// About as many values are kept in all: large systems have fewer slices. A thousand servers get a hundred each, for a
/// hundredth of the time of their run.
const MOST_VALUES: u64 = 600_000;

/// What a course is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A source, balancer, client or server.
    Node(Node),
    /// The link in a row.
    Link(u32),
    /// What the clients from one row to another believe of the server in a row, on average.
    Belief {
        /// Row of the first client.
        first: u32,
        /// Row of the last one.
        last: u32,
        /// Row of the server.
        server: u32,
    },
}

/// One measure of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Whose.
    pub subject: Subject,
    /// What.
    pub measure: &'static Measure,
}

/// What was measured in slices of equal width. In a slice without a value it is not a number.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The width of a slice.
    pub slice: SimDuration,
    /// Slices of a lap: what takes many samples to be told has a value in the last slice of each lap.
    pub lap: usize,
    /// What was measured, part by part.
    pub courses: Vec<Course>,
    /// Slice by slice: a value for each course.
    values: Vec<f32>,
}

impl Timeline {
    /// Slices that have been taken.
    #[must_use]
    pub const fn slices(&self) -> usize {
        if self.courses.is_empty() { 0 } else { self.values.len() / self.courses.len() }
    }

    /// The course with this position, slice by slice.
    pub fn course(&self, position: usize) -> impl ExactSizeIterator<Item = f32> + Clone + '_ {
        self.values[position.min(self.values.len())..].iter().step_by(self.courses.len().max(1)).copied()
    }

    /// The course of a measure of a subject, by name; nothing if there is none.
    pub fn find(
        &self,
        subject: Subject,
        measure: &str,
    ) -> Option<impl ExactSizeIterator<Item = f32> + Clone + '_> {
        self.position(subject, measure).map(|position| self.course(position))
    }

    /// The position of a measure of a subject.
    #[must_use]
    pub fn position(&self, subject: Subject, measure: &str) -> Option<usize> {
        self.courses.iter().position(|course| course.subject == subject && course.measure.name == measure)
    }

    /// The course of a measure of the server in a row, found at once however many servers there are.
    pub fn of_server(
        &self,
        row: usize,
        measure: &str,
    ) -> Option<impl ExactSizeIterator<Item = f32> + Clone + '_> {
        // Servers lie side by side with as many measures each, in the order of their rows.
        let of_server = |course: &Course| matches!(course.subject, Subject::Node(Node::Server(_)));
        let first = self.courses.iter().position(of_server)?;
        let same = |course: &&Course| course.subject == self.courses[first].subject;
        let each = self.courses[first..].iter().take_while(same).count();
        let offset =
            self.courses[first..first + each].iter().position(|course| course.measure.name == measure)?;
        let position = first + row * each + offset;
        self.courses.get(position).filter(|course| of_server(course))?;
        Some(self.course(position))
    }

    /// The mean of a measure over the servers in some rows, slice by slice.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a picture of a few pixels")]
    pub fn mean_over_servers(&self, measure: &str, rows: &[usize]) -> Vec<f32> {
        let mut sums = Vec::new();
        for course in rows.iter().filter_map(|&row| self.of_server(row, measure)) {
            sums.resize(course.len(), 0.0);
            sums.iter_mut().zip(course).for_each(|(sum, value)| *sum += value);
        }
        sums.iter().map(|sum| sum / rows.len() as f32).collect()
    }
}

/// Gathers the timeline.
#[derive(Resource, Clone, Debug, Default)]
pub struct Surveyor {
    timeline: Timeline,
    end: SimTime,
    cells: Vec<Cell>,
    beliefs: Vec<Subject>,
}

impl Surveyor {
    /// A surveyor of a run that ends at `end`, in which this is measured, in this order.
    #[must_use]
    pub fn new(end: SimTime, courses: Vec<Course>) -> Self {
        let slices = slices(end, courses.len() as u64);
        let slice = SimDuration::from_nanos((end.as_nanos() / slices).max(1));
        let lap = usize::try_from(slices.div_ceil(LAPS)).unwrap_or(1);
        let beliefs = courses.iter().map(|course| course.subject);
        let beliefs = beliefs.filter(|subject| matches!(subject, Subject::Belief { .. })).collect();
        let cells = vec![Cell::default(); courses.len()];
        Self { timeline: Timeline { slice, lap, courses, values: Vec::new() }, end, cells, beliefs }
    }

    /// When the first slice ends.
    #[must_use]
    pub fn first(&self) -> SimTime {
        SimTime::ZERO + self.timeline.slice
    }

    /// What was gathered.
    #[must_use]
    pub fn take(&mut self) -> Timeline {
        std::mem::take(&mut self.timeline)
    }

    /// The sums over time are about to begin anew: the end of a warm-up.
    pub fn restart(&mut self, read: impl FnOnce(&mut Readings<'_>, &[Subject])) {
        read(&mut Readings::before_restart(&mut self.cells), &self.beliefs);
    }

    /// A slice ends: `read` takes the readings of all parts in the order of the courses, beliefs among them as they are
    /// given. Tells when the next slice ends.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a slice is far below 2^53 nanoseconds, or nobody sees the rest"
    )]
    pub fn survey(
        &mut self,
        now: SimTime,
        read: impl FnOnce(&mut Readings<'_>, &[Subject]),
    ) -> Option<SimTime> {
        let nanos = self.timeline.slice.as_nanos() as f64;
        let lap = (self.timeline.slices() + 1).is_multiple_of(self.timeline.lap.max(1));
        let mut readings = Readings::new(&mut self.cells, &mut self.timeline.values, nanos, lap);
        read(&mut readings, &self.beliefs);
        debug_assert_eq!(readings.missing(), 0, "every part reads as much as it lists");
        let next = now + self.timeline.slice;
        (next <= self.end).then_some(next)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as wanted")]
fn slices(end: SimTime, courses: u64) -> u64 {
    let wanted = ((end.as_seconds() * SLICES_A_SECOND) as u64).clamp(SLICES, MOST_SLICES);
    (MOST_VALUES / courses.max(1)).clamp(FEWEST_SLICES, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::server::MEASURES;

    fn timeline(load: &[[f32; 3]]) -> Timeline {
        let courses = (0..3).flat_map(|row| {
            MEASURES[..2]
                .iter()
                .map(move |measure| Course { subject: Subject::Node(Node::Server(row)), measure })
        });
        let values = load.iter().flat_map(|slice| slice.iter().flat_map(|&load| [load, 0.0])).collect();
        Timeline { slice: SimDuration::from_seconds(1), lap: 1, courses: courses.collect(), values }
    }

    #[test]
    fn the_mean_over_servers_is_taken_slice_by_slice() {
        let timeline = timeline(&[[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]]);
        let name = MEASURES[0].name;
        assert_eq!(timeline.mean_over_servers(name, &[0, 1]), [0.5, 1.0]);
        assert_eq!(timeline.mean_over_servers(name, &[2]), [0.5, 0.0]);
        assert_eq!(timeline.mean_over_servers(name, &[]), [] as [f32; 0]);
        assert_eq!(timeline.mean_over_servers("nonsense", &[0]), [] as [f32; 0]);
        let course = timeline.find(Subject::Node(Node::Server(1)), name).expect("a course");
        assert_eq!(course.collect::<Vec<_>>(), [1.0, 1.0]);
    }

    #[test]
    fn the_width_of_slices_suits_the_run() {
        let of = |seconds: u64, courses| slices(SimTime::from_nanos(seconds * 1_000_000_000), courses);
        assert_eq!((of(65, 40), of(600, 10), of(86_400, 10)), (1200, 2400, 4096));
        assert_eq!((of(40, 6_000), of(40, 60_000)), (100, 60));
    }
}
