//! What became of requests, and how many came to each end: one type that everybody counts with and iterates over.

use std::ops::AddAssign;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It was served and its response came back.
    Completed,
    /// A node had no room for it.
    Rejected,
    /// Its client waited no longer.
    TimedOut,
    /// A link lost it or its response, or a node that went down did.
    Dropped,
    /// It was turned away on purpose, to protect the rest.
    Shed,
}

impl Outcome {
    /// All outcomes, in the order in which they are reported.
    pub const ALL: [Self; 5] = [Self::Completed, Self::Rejected, Self::TimedOut, Self::Dropped, Self::Shed];
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Dropped => "dropped",
            Self::Shed => "shed",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Completed | Self::Rejected | Self::Dropped | Self::Shed => self.name(),
            Self::TimedOut => "timed out",
        }
    }

    /// Whether whoever sent the request got nothing for it.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Completed => false,
            Self::Rejected | Self::TimedOut | Self::Dropped | Self::Shed => true,
        }
    }
}

/// How many requests there were, and how many came to each end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Requests that were created.
    pub offered: u64,
    ended: [u64; Outcome::COUNT],
}

impl OutcomeCounts {
    /// Counts a request that came to an end.
    #[inline]
    pub const fn count(&mut self, outcome: Outcome) {
        self.ended[outcome as usize] += 1;
    }

    /// How many came to this end.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }

    /// How many came to each end, in the order in which that is reported.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL.into_iter().map(|outcome| (outcome, self.of(outcome)))
    }

    /// How many came to an end.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended.iter().sum()
    }

    /// How many failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.iter().filter(|(outcome, _)| outcome.is_failure()).map(|(_, count)| count).sum()
    }

    /// How many have not come to an end: offered less all others.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.offered - self.ended()
    }
}

impl AddAssign for OutcomeCounts {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        for (mine, others) in self.ended.iter_mut().zip(other.ended) {
            *mine += others;
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
    fn ends_and_what_is_in_flight_add_up_to_what_was_offered() {
        let mut counts = OutcomeCounts { offered: 12, ..OutcomeCounts::default() };
        Outcome::ALL.into_iter().for_each(|outcome| counts.count(outcome));
        counts.count(Outcome::Completed);
        let sum: OutcomeCounts = [counts, counts].into_iter().sum();
        assert_eq!((sum.of(Outcome::Completed), sum.failed(), sum.in_flight()), (4, 8, 12));
        assert_eq!(sum.iter().map(|(_, count)| count).sum::<u64>() + sum.in_flight(), sum.offered);
        for (at, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, at, "counts lie in the order of outcomes");
        }
    }
}
