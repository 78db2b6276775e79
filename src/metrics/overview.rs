//! The overview: how load and queue of each server went over the run, in a few equal slices of time. Every run has
//! it, whether or not the scenario names a probe; it is what sparklines are drawn from.

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::model::server::ServersView;

/// Slices of a run. A terminal of 80 columns has room for a name, a sparkline of as many, and a figure.
pub const SLICES: u64 = 60;

/// Time-weighted means in slices of equal width.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The width of a slice.
    pub slice: SimDuration,
    /// Of each server, by row: the mean share of slots in use in each slice.
    pub load: Vec<Vec<f32>>,
    /// Of each server, by row: the mean number of requests that wait in each slice.
    pub queue: Vec<Vec<f32>>,
}

impl Overview {
    /// The mean load in each slice over some servers.
    #[must_use]
    pub fn mean_load(&self, rows: &[usize]) -> Vec<f32> {
        mean(&self.load, rows)
    }

    /// The mean queue in each slice over some servers.
    #[must_use]
    pub fn mean_queue(&self, rows: &[usize]) -> Vec<f32> {
        mean(&self.queue, rows)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture of a few pixels")]
fn mean(of: &[Vec<f32>], rows: &[usize]) -> Vec<f32> {
    let rows: Vec<&Vec<f32>> = rows.iter().filter_map(|&row| of.get(row)).collect();
    let slices = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    (0..slices).map(|slice| rows.iter().map(|row| row[slice]).sum::<f32>() / rows.len() as f32).collect()
}

/// Gathers the overview.
#[derive(Resource, Clone, Debug, Default)]
pub struct Surveyor {
    overview: Overview,
    end: SimTime,
    /// Integrals of load and queue at the end of the last slice.
    last: Vec<(u128, u128)>,
}

impl Surveyor {
    /// A surveyor of a run that ends at `end`, with this many servers.
    #[must_use]
    pub fn new(end: SimTime, servers: usize) -> Self {
        let slice = SimDuration::from_nanos((end.as_nanos() / SLICES).max(1));
        let overview = Overview { slice, load: vec![Vec::new(); servers], queue: vec![Vec::new(); servers] };
        Self { overview, end, last: vec![(0, 0); servers] }
    }

    /// When the first slice ends.
    #[must_use]
    pub fn first(&self) -> SimTime {
        SimTime::ZERO + self.overview.slice
    }

    /// What was gathered.
    #[must_use]
    pub const fn overview(&self) -> &Overview {
        &self.overview
    }

    /// The integrals of the servers are about to begin anew (the end of a warm-up): what belongs to the present slice is
    /// kept, as less than nothing at its start.
    pub fn restart(&mut self, now: SimTime, servers: &ServersView<'_>) {
        for (row, last) in (0..).zip(&mut self.last) {
            let integrals = integrals(servers, row, now);
            *last = (last.0.wrapping_sub(integrals.0), last.1.wrapping_sub(integrals.1));
        }
    }

    /// A slice ends; tells when the next one does.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a picture of a few pixels"
    )]
    pub fn survey(&mut self, now: SimTime, servers: &ServersView<'_>) -> Option<SimTime> {
        let width = self.overview.slice.as_nanos() as f64;
        for (row, last) in (0..).zip(&mut self.last) {
            let integrals = integrals(servers, row, now);
            let concurrency = f64::from(servers.in_flight(row).concurrency);
            let busy = integrals.0.wrapping_sub(last.0) as f64 / width / concurrency;
            let waiting = integrals.1.wrapping_sub(last.1) as f64 / width;
            self.overview.load[row as usize].push(busy.min(1.0) as f32);
            self.overview.queue[row as usize].push(waiting as f32);
            *last = integrals;
        }
        let next = now + self.overview.slice;
        (next <= self.end).then_some(next)
    }
}

/// The integrals of a server's requests in service and in its queue.
fn integrals(servers: &ServersView<'_>, row: u32, now: SimTime) -> (u128, u128) {
    (servers.in_flight(row).level.integral(now), servers.queue(row).depth.integral(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_over_servers_is_taken_slice_by_slice() {
        let load = vec![vec![0.0, 1.0], vec![1.0, 1.0], vec![0.5, 0.0]];
        let overview = Overview { load, ..Overview::default() };
        assert_eq!(overview.mean_load(&[0, 1]), [0.5, 1.0]);
        assert_eq!(overview.mean_load(&[]), [] as [f32; 0]);
        assert_eq!(overview.mean_queue(&[0]), [] as [f32; 0]);
    }
}
