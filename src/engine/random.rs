//! Random streams: each purpose of each part draws from its own stream, named after both.
//!
//! Adding a probe, a node or a draw of one part changes no other stream, so that two variants of a scenario have the
//! same arrivals (common random numbers). The generator is xoshiro256++ (Blackman, Vigna: "Scrambled linear
//! pseudorandom number generators", 2021), whose values are the same on every machine and in every version.
//!
//! A stream is a [`rand::Rng`], so everything that draws from an `Rng` can draw from it. [`Draw`] adds methods whose
//! values rushhour promises never to change; those of `rand`'s own choices from a range may change with its version and
//! its feature `unbiased`.

use std::convert::Infallible;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng, TryRng};

use super::hash::StableHasher;

/// Derives the streams of one replication of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
    replication: u64,
}

impl Streams {
    /// The streams of the replication with index `replication` of a scenario with the seed `seed`.
    #[must_use]
    pub const fn new(seed: u64, replication: u64) -> Self {
        Self { seed, replication }
    }

    /// The stream of the part with the stable name `part` for `purpose`. Equal arguments give equal streams.
    #[must_use]
    pub fn stream(&self, part: &str, purpose: &str) -> RandomStream {
        let mut hasher = StableHasher::new();
        hasher.absorb(self.seed);
        hasher.absorb(self.replication);
        hasher.absorb_text(part);
        hasher.absorb_text(purpose);
        RandomStream(Xoshiro256PlusPlus::seed_from_u64(hasher.finish()))
    }
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct RandomStream(Xoshiro256PlusPlus);

impl RandomStream {
    /// A stream from a bare seed, for tests and benchmarks.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A stream of its own, which the next number of this one determines.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::from_seed(self.next_u64())
    }
}

impl TryRng for RandomStream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

/// Draws whose values depend only on the bits of the generator, on every machine and in every version.
pub trait Draw: Rng {
    /// Uniform in [0, 1), a multiple of 2^-53.
    #[inline]
    fn uniform(&mut self) -> f64 {
        self.random()
    }

    /// Uniform in (0, 1], for logarithms.
    #[inline]
    fn uniform_positive(&mut self) -> f64 {
        1.0 - self.uniform()
    }

    /// Uniform integer in 0..`n`, without bias (Lemire: "Fast random integer generation in an interval", 2019).
    ///
    /// # Panics
    /// If `n` is zero.
    #[inline]
    fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a choice needs at least one alternative");
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if low_half(product) < n {
            let threshold = n.wrapping_neg() % n;
            while low_half(product) < threshold {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// Uniform index of a list with `n` elements.
    ///
    /// # Panics
    /// If `n` is zero.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below the length of a list, which is a usize")]
    fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    /// True with probability `probability`.
    #[inline]
    fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

impl<R: Rng + ?Sized> Draw for R {}

#[expect(clippy::cast_possible_truncation, reason = "only the lower half is kept")]
const fn low_half(product: u128) -> u64 {
    product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_replication_part_and_purpose() {
        let streams = Streams::new(42, 0);
        let first = |part: &str, purpose: &str| streams.stream(part, purpose).next_u64();
        assert_eq!(first("server-0", "service"), first("server-0", "service"));
        assert_ne!(first("server-0", "service"), first("server-1", "service"));
        assert_ne!(first("server-0", "service"), first("server-0", "loss"));
        assert_ne!(
            first("server-0", "service"),
            Streams::new(42, 1).stream("server-0", "service").next_u64()
        );
        assert_ne!(
            first("server-0", "service"),
            Streams::new(43, 0).stream("server-0", "service").next_u64()
        );
    }

    #[test]
    fn the_values_never_change() {
        let mut stream = Streams::new(42, 0).stream("server-0", "service");
        let golden = [stream.next_u64(), stream.next_u64(), stream.below(1000), stream.next_u64()];
        assert_eq!(golden, GOLDEN);
    }

    const GOLDEN: [u64; 4] =
        [11_032_499_974_568_127_454, 5_339_980_085_856_139_352, 633, 6_981_988_174_604_880_172];

    #[test]
    fn a_choice_is_uniform() {
        // 5 cells, 100,000 draws: chi-squared with 4 degrees of freedom exceeds 23.5 once in 10,000 seeds.
        let mut stream = RandomStream::from_seed(7);
        let mut counts = [0_u32; 5];
        for _ in 0..100_000 {
            counts[stream.index(5)] += 1;
        }
        let chi_squared: f64 =
            counts.iter().map(|&n| f64::from(n) - 20_000.0).map(|d| d * d / 20_000.0).sum();
        assert!(chi_squared < 23.5, "{chi_squared}: {counts:?}");
    }

    #[test]
    fn uniform_numbers_stay_in_their_interval() {
        let mut stream = RandomStream::from_seed(7);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&stream.uniform()));
            let positive = stream.uniform_positive();
            assert!(positive > 0.0 && positive <= 1.0);
        }
    }
}
