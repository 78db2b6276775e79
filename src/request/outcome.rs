//! The outcomes of requests, and the counts of requests by outcome.

use std::ops::AddAssign;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It was served, and its response reached the source.
    Completed,
    /// A node had no free place for it, or was down.
    Rejected,
    /// A node answered it with an error, for example because a call that it needed has failed.
    Failed,
    /// Its client or its caller stopped waiting, and cancelled it.
    TimedOut,
    /// It or its response was lost by a link, or by a node that went down.
    Dropped,
    /// A node shed it, as it was over a limit.
    Shed,
}

impl Outcome {
    /// All outcomes, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Completed, Self::Rejected, Self::Failed, Self::TimedOut, Self::Dropped, Self::Shed];
    /// Number of outcomes.
    pub const COUNT: usize = Self::ALL.len();

    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Dropped => "dropped",
            Self::Shed => "shed",
        }
    }

    /// Its name in texts for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Completed | Self::Rejected | Self::Dropped | Self::Shed => self.name(),
            // "failed" is any outcome but completed.
            Self::Failed => "error",
            Self::TimedOut => "timed out",
        }
    }

    /// Whether the request failed: any outcome but completed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Completed => false,
            Self::Rejected | Self::Failed | Self::TimedOut | Self::Dropped | Self::Shed => true,
        }
    }
}

/// Number of requests offered, and number of requests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Number of requests created.
    pub offered: u64,
    ended: [u64; Outcome::COUNT],
}

impl OutcomeCounts {
    /// Counts a request that has ended.
    #[inline]
    pub const fn count(&mut self, outcome: Outcome) {
        self.ended[outcome as usize] += 1;
    }

    /// Number of requests with this outcome.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }

    /// Number of requests by outcome, in the order of [`Outcome::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL.into_iter().map(|outcome| (outcome, self.of(outcome)))
    }

    /// Number of requests that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended.iter().sum()
    }

    /// Number of requests with any outcome but completed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.iter().filter(|(outcome, _)| outcome.is_failure()).map(|(_, count)| count).sum()
    }

    /// Number of requests in flight: offered minus ended.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.offered - self.ended()
    }
}

impl AddAssign for OutcomeCounts {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        for (count, other) in self.ended.iter_mut().zip(other.ended) {
            *count += other;
        }
    }
}

impl std::iter::Sum for OutcomeCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_and_requests_in_flight_add_up_to_requests_offered() {
        let mut counts = OutcomeCounts { offered: 13, ..OutcomeCounts::default() };
        Outcome::ALL.into_iter().for_each(|outcome| counts.count(outcome));
        counts.count(Outcome::Completed);
        let sum: OutcomeCounts = [counts, counts].into_iter().sum();
        assert_eq!((sum.of(Outcome::Completed), sum.failures(), sum.in_flight()), (4, 10, 12));
        assert_eq!(sum.iter().map(|(_, count)| count).sum::<u64>() + sum.in_flight(), sum.offered);
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index, "counts are indexed by outcome");
        }
    }
}
