//! The workload of an AsyncFlow file as a source: users whose number is drawn anew in each window.

use super::Conversion;
use super::laws;
use super::payload::{Law, Variable};
use crate::engine::distribution::CountSpec;
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;
use crate::model::source::SourceSpec;
use crate::model::source::arrivals::ArrivalsSpec;
use crate::model::source::endpoint::AskedEndpoints;
use crate::model::source::key::KeySpec;
use crate::model::source::rate::RateSpec;
use crate::text::Path;

/// The expected number of windows without users from which on they are worth a note.
const RARE: f64 = 1e-3;
/// The largest rate of a scenario, per second.
const MAX_RATE: f64 = 1e9;

impl Conversion<'_> {
    /// The source.
    pub(super) fn source(&mut self) -> SourceSpec {
        let input = &self.payload.input;
        let path = Path::root().name("sources").name(&*input.id.value);
        self.parts.push((Path::root().name("rqs_input"), path.clone()));
        self.notes.comes_from(&path, input.id.location);
        let arrivals = path.clone().name("arrivals");
        self.notes.comes_from(&arrivals, input.users.mean.location);
        let per_user = self.rate_of_user(&input.requests_per_minute, &arrivals);
        let window = SimDuration::from_seconds(input.window);
        SourceSpec {
            arrivals: self.users(&input.users, per_user, window, &arrivals),
            to: self.graph.entry.target.value.clone(),
            key: KeySpec::default(),
            endpoint: AskedEndpoints::default(),
            start: SimDuration::ZERO,
            stop: None,
            max_requests: None,
            class: None,
            priority: 0,
            deadline: None,
            size: None,
            weight: 1,
        }
    }

    /// The requests of each user per second.
    fn rate_of_user(&mut self, requests: &Variable, path: &Path) -> f64 {
        let per_minute = &requests.mean;
        if per_minute.value <= 0.0 {
            let message = "users who send no requests: AsyncFlow's run has none";
            self.errors.push(per_minute.wrong(message, "make it more than 0"));
        } else if per_minute.value / 60.0 > MAX_RATE {
            self.errors
                .push(per_minute.wrong("this is more than one request per nanosecond", "make it smaller"));
        }
        if requests.variance.is_some() {
            self.notes.add(
                path,
                "AsyncFlow ignores the variance of the requests per minute: only their mean counts.",
            );
        }
        per_minute.value / 60.0
    }

    fn users(&mut self, users: &Variable, per_user: f64, window: SimDuration, path: &Path) -> ArrivalsSpec {
        let mean = users.mean.value;
        if mean <= 0.0 {
            let message = "no users: AsyncFlow's run never ends, or crashes";
            self.errors.push(users.mean.wrong(message, "make it more than 0"));
        }
        let requests = Rate::per_second(per_user).unwrap_or_default();
        let written = users.variance.as_ref();
        if let Some(variance) = written.filter(|variance| variance.value < 0.0) {
            self.errors.push(variance.wrong("a variance is 0 or more", "make it 0 or more"));
        }
        let without_users = match users.law {
            Law::Normal => {
                // Without users, a window takes no time: those are left out.
                let sd = written.map_or(mean, |variance| variance.value);
                0.5 * libm::erfc(mean / sd * std::f64::consts::FRAC_1_SQRT_2)
            }
            Law::Poisson | Law::LogNormal | Law::Exponential | Law::Uniform => libm::exp(-mean),
        };
        let windows =
            SimDuration::from_seconds(self.payload.settings.horizon).as_seconds() / window.as_seconds();
        let skips_windows = without_users * windows > RARE;
        let count = if users.law == Law::Normal {
            self.normal_users(mean, written.map(|variance| variance.value), path)
        } else {
            if written.is_some() {
                self.notes
                    .add(path, "AsyncFlow ignores the variance of the users, as their number is `poisson`.");
            }
            if skips_windows {
                self.note(
                    path,
                    "A window without users takes no time in AsyncFlow: the next one begins at once, and it has more requests.",
                    "A window without users takes no time in AsyncFlow. Here it takes its time, so there are fewer requests.",
                );
            }
            Some(CountSpec::Poisson { mean })
        };
        match count {
            Some(count) => ArrivalsSpec::Users { count, requests, window },
            None => ArrivalsSpec::Poisson {
                rate: RateSpec::Constant(Rate::per_second(mean * per_user).unwrap_or_default()),
            },
        }
    }

    /// A normal number of users; `None` if it does not vary.
    fn normal_users(&mut self, mean: f64, variance: Option<f64>, path: &Path) -> Option<CountSpec> {
        let intended_sd = libm::sqrt(variance.unwrap_or(mean));
        let faithful_sd = variance.unwrap_or(mean);
        self.note(
            path,
            "AsyncFlow takes the variance of the users (if none is written, their mean) as the standard deviation.",
            "AsyncFlow takes the variance of the users (if none is written, their mean) as the standard deviation. Numbers \
             below zero do not occur: a window without users takes no time. It does not round them to whole users.",
        );
        let (mean, sd) = if self.is_faithful() {
            laws::truncated(mean, faithful_sd)
        } else if intended_sd < mean {
            (mean, intended_sd)
        } else {
            self.notes
                .add(path, "A normal number that is never negative has a standard deviation below its mean.");
            laws::truncated(mean, intended_sd)
        };
        (sd > 0.0).then_some(CountSpec::Normal { mean, sd })
    }
}
