//! Downsampling that keeps the look of a plot: of many samples, only the extremes are visible, so these are kept.
//!
//! Samples are divided into buckets of equal size. In each bucket, every line keeps its minimum and maximum in order of
//! occurrence, and a gap if it has one. All lines share the same x values, so that an extreme may move within its
//! bucket, by less than a pixel.

/// Reduces lines over common x values to about `limit` samples. Lines that are short enough stay unchanged.
#[must_use]
pub fn extremes(x: &[f64], lines: &[Vec<Option<f32>>], limit: usize) -> (Vec<f64>, Vec<Vec<Option<f32>>>) {
    if x.len() <= limit {
        return (x.to_vec(), lines.to_vec());
    }
    let gaps = lines.iter().flatten().any(Option::is_none);
    let per_bucket = if gaps { 3 } else { 2 };
    let buckets = (limit / per_bucket).max(1);
    let bounds: Vec<usize> = (0..=buckets).map(|bucket| bucket * x.len() / buckets).collect();
    let bounds: Vec<(usize, usize)> = bounds.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let positions = bounds
        .iter()
        .flat_map(|&(from, to)| (0..per_bucket).map(move |k| x[from + k * (to - from) / per_bucket]));
    let lines = lines.iter().map(|line| {
        let buckets = bounds.iter().map(|&(from, to)| &line[from.min(line.len())..to.min(line.len())]);
        buckets.flat_map(|bucket| condensed(bucket, gaps)).collect()
    });
    (positions.collect(), lines.collect())
}

/// The extremes of a bucket in order of occurrence. With `gaps`, also a gap if there is one, otherwise the last sample.
fn condensed(bucket: &[Option<f32>], gaps: bool) -> Vec<Option<f32>> {
    let values = || bucket.iter().enumerate().filter_map(|(at, value)| value.map(|value| (at, value)));
    let smallest = values().min_by(|a, b| a.1.total_cmp(&b.1));
    let largest = values().max_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(smallest), Some(largest)) = (smallest, largest) else {
        return vec![None; if gaps { 3 } else { 2 }];
    };
    let mut kept = vec![(smallest.0, Some(smallest.1)), (largest.0, Some(largest.1))];
    if gaps {
        let gap = bucket.iter().position(Option::is_none).map(|at| (at, None));
        kept.push(gap.unwrap_or((bucket.len(), bucket[bucket.len() - 1])));
    }
    kept.sort_by_key(|&(at, _)| at);
    kept.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(count: u32) -> Vec<f64> {
        (0..count).map(f64::from).collect()
    }

    #[test]
    fn a_single_spike_in_a_million_survives_in_each_line() {
        let x = positions(1_000_000);
        let mut lines = vec![vec![Some(1.0); x.len()]; 3];
        for (line, at) in [(0, 17), (1, 499_999), (2, 999_999)] {
            lines[line][at] = Some(100.0);
            lines[line][at - 3] = Some(-5.0);
        }
        let (fewer, kept) = extremes(&x, &lines, 1_500);
        assert!(fewer.len() <= 1_500 && fewer.len() > 1_400, "{}", fewer.len());
        assert!(fewer.windows(2).all(|pair| pair[0] < pair[1]), "x values ascend");
        for (line, at) in kept.iter().zip([17.0, 499_999.0, 999_999.0]) {
            assert_eq!(line.len(), fewer.len());
            let spike = line.iter().position(|value| *value == Some(100.0)).expect("the spike is kept");
            assert!((fewer[spike] - at).abs() <= 2_000.0, "the spike stays near its position");
            assert_eq!(line[spike - 1], Some(-5.0), "the dip stays before the spike");
        }
    }

    #[test]
    fn short_lines_stay_unchanged() {
        let x = positions(100);
        let lines = vec![x.iter().map(|&x| (x > 50.0).then_some(1.0)).collect::<Vec<_>>()];
        assert_eq!(extremes(&x, &lines, 100), (x, lines));
        assert_eq!(extremes(&[], &[], 0), (vec![], vec![]));
    }

    #[test]
    fn long_and_short_gaps_are_kept() {
        let x = positions(9_000);
        let mut line = vec![Some(1.0); x.len()];
        line[3_000..5_000].fill(None);
        line[7_001] = None;
        let without_gaps = vec![Some(2.0); x.len()];
        let (fewer, kept) = extremes(&x, &[line, without_gaps], 300);
        assert_eq!(fewer.len(), 300);
        let gaps = |from: f64, to: f64| {
            let inside = fewer.iter().zip(&kept[0]).filter(|(x, _)| (from..to).contains(*x));
            let values: Vec<bool> = inside.map(|(_, value)| value.is_none()).collect();
            values
        };
        assert!(gaps(3_100.0, 4_900.0).iter().all(|is_gap| *is_gap));
        assert_eq!(gaps(6_900.0, 7_100.0).iter().filter(|is_gap| **is_gap).count(), 1);
        assert!(gaps(0.0, 2_900.0).iter().all(|is_gap| !is_gap));
        assert!(kept[1].iter().all(|value| *value == Some(2.0)));
    }

    #[test]
    fn a_single_bucket_keeps_the_extremes() {
        let line = vec![Some(3.0), Some(9.0), Some(1.0), Some(4.0)];
        assert_eq!(extremes(&positions(4), &[line], 1), (vec![0.0, 2.0], vec![vec![Some(9.0), Some(1.0)]]));
    }
}
