//! A log-linear histogram of whole numbers: 512 buckets per octave, so that the middle of a bucket is within 0.1 % of
//! every value in it. Values below 1,024 are exact.
//!
//! The layout is that of `HdrHistogram` (Gil Tene): the leading bits of a value give its bucket.

/// Base-2 logarithm of the number of buckets per octave. Half a bucket is at most 2^-10 = 0.098 % of its value.
const SUB_BITS: u32 = 9;

/// Number of buckets that are allocated at once.
const CHUNK_LEN: usize = 64;

/// Counts of whole numbers by bucket.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// The bucket that `counts[0]` counts; a multiple of [`CHUNK_LEN`].
    first: usize,
    /// Counts modulo 2^32, to keep thousands of histograms small.
    counts: Vec<u32>,
    /// Buckets whose count wrapped at 2^32, one entry per wrap.
    overflows: Vec<usize>,
}

impl Histogram {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let bucket = bucket_of(value);
        let index = bucket.wrapping_sub(self.first);
        let count = match self.counts.get_mut(index) {
            Some(count) => count,
            None => {
                self.extend_to(bucket);
                &mut self.counts[bucket - self.first]
            }
        };
        *count = count.wrapping_add(1);
        if *count == 0 {
            self.overflows.push(bucket);
        }
    }

    /// Counts a value this many times.
    #[expect(clippy::cast_possible_truncation, reason = "counts are kept modulo 2^32")]
    pub fn record_many(&mut self, value: u64, times: u64) {
        let bucket = bucket_of(value);
        self.extend_to(bucket);
        let count = &mut self.counts[bucket - self.first];
        let sum = u64::from(*count) + times;
        *count = sum as u32;
        self.overflows.extend((0..sum >> 32).map(|_| bucket));
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.is_empty() {
            return;
        }
        self.extend_to(other.first);
        self.extend_to(other.first + other.counts.len() - 1);
        let offset = other.first - self.first;
        for (index, (mine, count)) in (offset..).zip(self.counts[offset..].iter_mut().zip(&other.counts)) {
            let (sum, wrapped) = mine.overflowing_add(*count);
            *mine = sum;
            if wrapped {
                self.overflows.push(self.first + index);
            }
        }
        self.overflows.extend(&other.overflows);
    }

    /// The histogram with all counts reset to zero, in the same memory.
    #[must_use]
    pub fn cleared(mut self) -> Self {
        self.counts.fill(0);
        self.overflows.clear();
        self
    }

    /// The occupied buckets in ascending order: lowest value, highest value (inclusive), count.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.buckets().map(|(bucket, count)| {
            let (low, high) = range_of(bucket);
            (low, high, count)
        })
    }

    /// The middles of the buckets that hold the values of these ranks (from 1, ascending), in one pass; `None` for a
    /// rank above the number of values.
    #[must_use]
    pub fn values_at_ranks<const N: usize>(&self, ranks: [u64; N]) -> [Option<u64>; N] {
        let mut buckets = self.buckets();
        let (mut seen, mut middle) = (0, None);
        ranks.map(|rank| {
            while seen < rank {
                let (bucket, count) = buckets.next()?;
                seen += count;
                let (low, high) = range_of(bucket);
                middle = Some(low + (high - low).div_ceil(2));
            }
            middle
        })
    }

    /// The occupied buckets in ascending order, with their counts.
    fn buckets(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.counts.iter().enumerate().filter_map(move |(index, &count)| {
            let bucket = self.first + index;
            let wraps = self.overflows.iter().filter(|&&b| b == bucket).count() as u64;
            let count = u64::from(count) + (wraps << 32);
            (count > 0).then_some((bucket, count))
        })
    }

    /// Extends `counts` to include a bucket.
    #[cold]
    fn extend_to(&mut self, bucket: usize) {
        let start = bucket / CHUNK_LEN * CHUNK_LEN;
        if self.counts.is_empty() {
            self.first = start;
        } else if start < self.first {
            let missing = self.first - start;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = start;
        }
        let len = start + CHUNK_LEN - self.first;
        if len > self.counts.len() {
            self.counts.resize(len, 0);
        }
    }
}

/// The bucket of a value: the number of low bits cut off, followed by the remaining leading bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the shift leaves ten bits")]
const fn bucket_of(value: u64) -> usize {
    let shift = (63 - SUB_BITS).saturating_sub((value | 1).leading_zeros());
    ((shift as usize) << SUB_BITS) + (value >> shift) as usize
}

/// The lowest and the highest value of a bucket.
const fn range_of(bucket: usize) -> (u64, u64) {
    let shift = (bucket >> SUB_BITS).saturating_sub(1);
    let low = ((bucket - (shift << SUB_BITS)) as u64) << shift;
    (low, low + ((1 << shift) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_number_once_in_order() {
        let mut expected = 0;
        for bucket in 0..=bucket_of(u64::MAX) {
            let (low, high) = range_of(bucket);
            assert_eq!(low, expected, "bucket {bucket} begins where the previous one ends");
            assert_eq!((bucket_of(low), bucket_of(high)), (bucket, bucket));
            expected = high.wrapping_add(1);
        }
        assert_eq!(expected, 0, "the last bucket ends with the largest number");
    }

    #[test]
    fn the_middle_of_a_bucket_is_within_a_tenth_of_a_percent_of_its_values() {
        for bucket in 0..=bucket_of(u64::MAX) {
            let (low, high) = range_of(bucket);
            let middle = low + (high - low).div_ceil(2);
            assert!(u128::from(high - low) * 1000 <= u128::from(low) * 2, "{low}..={high}");
            assert!(u128::from(middle - low) * 1000 <= u128::from(low.max(1)));
        }
    }

    #[test]
    fn merging_adds_counts_and_ranks_give_values() {
        let mut small = Histogram::default();
        let mut large = Histogram::default();
        for value in 1..=500 {
            small.record(value);
            large.record(value + 500);
        }
        large.merge(&small);
        let values = large.values_at_ranks([1, 1, 500, 1000, 1001]);
        assert_eq!(values, [Some(1), Some(1), Some(500), Some(1000), None]);
        assert_eq!(large.ranges().map(|(_, _, count)| count).sum::<u64>(), 1000);
    }

    #[test]
    fn counts_can_exceed_32_bits() {
        let mut half = Histogram::default();
        half.record(3);
        half.counts[half.first + 3] = 3_000_000_000;
        let mut whole = half.clone();
        whole.merge(&half);
        assert_eq!(whole.ranges().collect::<Vec<_>>(), [(3, 3, 6_000_000_000)]);
    }
}
