//! Level, spread and smoothing of a series.

use crate::engine::floor_to_usize;

/// Returns the mean, 0 for an empty slice.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Returns the population variance, 0 for an empty slice.
#[must_use]
pub fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    if values.is_empty() { 0.0 } else { squares / values.len() as f64 }
}

/// Returns the values in ascending order.
#[must_use]
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Returns the quantile at `share` (0..=1) of sorted values, linearly interpolated. 0 for an empty slice.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let position = share * last as f64;
    let low = floor_to_usize(position).min(last);
    let high = (low + 1).min(last);
    sorted[low] + (position - low as f64) * (sorted[high] - sorted[low])
}

/// Returns the median, 0 for an empty slice.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// Returns a standard deviation that is robust against outliers: the median absolute deviation times 1.4826, which
/// equals the standard deviation of a normal distribution (Hampel: "The influence curve and its role in robust
/// estimation", 1974).
#[must_use]
pub fn robust_sd(values: &[f64]) -> f64 {
    let centre = median(values);
    let distances: Vec<f64> = values.iter().map(|x| (x - centre).abs()).collect();
    1.4826 * median(&distances)
}

/// Computes the moving average over `2 half + 1` samples around each sample, over fewer at the ends.
pub fn smooth_into(values: &[f64], half: usize, smoothed: &mut Vec<f64>) {
    smoothed.clear();
    if half == 0 {
        smoothed.extend_from_slice(values);
        return;
    }
    let n = values.len();
    let (mut sum, mut first, mut end) = (0.0, 0, 0);
    for i in 0..n {
        while end < (i + half + 1).min(n) {
            sum += values[end];
            end += 1;
        }
        if i > half {
            sum -= values[first];
            first += 1;
        }
        smoothed.push(sum / (end - first) as f64);
    }
}

/// Returns the moving average of [`smooth_into`] as a new series.
#[must_use]
pub fn smooth(values: &[f64], half: usize) -> Vec<f64> {
    let mut smoothed = Vec::with_capacity(values.len());
    smooth_into(values, half, &mut smoothed);
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values() {
        let values = sorted(&[4.0, 1.0, 3.0, 2.0]);
        for (share, expected) in [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-12, "{share}");
        }
        assert!(quantile(&[], 0.5).abs() < 1e-12);
        assert!((robust_sd(&[1.0, 2.0, 3.0, 4.0, 1e9]) - 1.4826).abs() < 1e-12);
    }

    #[test]
    fn smoothing_is_a_moving_average() {
        let values = [1.0, 2.0, 6.0, 3.0];
        assert_eq!(smooth(&values, 0), values);
        assert_eq!(smooth(&values, 1), [1.5, 3.0, 11.0 / 3.0, 4.5]);
        assert_eq!(smooth(&values, 9), [3.0; 4]);
        assert_eq!((mean(&values), variance(&values)), (3.0, 3.5));
    }
}
