//! Autocorrelation: the correlation of a series with itself at a lag.

use super::fft::Fft;
use super::level::mean;

/// Returns the autocorrelation at lags 0 to `lags` (in samples), 1 at lag 0. The sums are divided by the length of the
/// series, not of the overlap (Box, Jenkins: "Time series analysis", 1970), which damps the noise at large lags. For a
/// constant series all values are 0.
#[must_use]
pub fn autocorrelation(values: &[f64], lags: usize) -> Vec<f64> {
    let lags = lags.min(values.len().saturating_sub(1));
    let mean = mean(values);
    let fft = Fft::at_least(values.len() + lags + 1);
    let mut power = fft.power(values.iter().map(|x| x - mean));
    let mut imaginary = vec![0.0; fft.length()];
    fft.forward(&mut power, &mut imaginary);
    let scale = if power[0] > 0.0 { 1.0 / power[0] } else { 0.0 };
    power[..=lags].iter().map(|sum| sum * scale).collect()
}

/// A hill of an autocorrelation: its maximum around a lag of one cycle, with the trough before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hill {
    /// Lag of the top, in samples, refined by a parabola.
    pub lag: f64,
    /// Autocorrelation at the top.
    pub height: f64,
    /// Minimum autocorrelation around half of that lag.
    pub trough: f64,
}

/// Returns the hill within 30 % of a lag; `None` if the maximum is at the border of that range.
#[must_use]
pub fn hill(autocorrelation: &[f64], lag: f64) -> Option<Hill> {
    let last = autocorrelation.len().checked_sub(2)?;
    let range = |low: f64, high: f64| {
        crate::engine::floor_to_usize(low * lag).max(1)
            ..=crate::engine::floor_to_usize((high * lag).ceil()).min(last)
    };
    let (from, to) = range(0.7, 1.3).into_inner();
    let top = (from..=to).max_by(|&a, &b| autocorrelation[a].total_cmp(&autocorrelation[b]))?;
    if top == from || top == to {
        return None;
    }
    let (offset, height) = summit(autocorrelation[top - 1], autocorrelation[top], autocorrelation[top + 1]);
    let around = crate::engine::floor_to_usize(0.3 * top as f64)
        ..=crate::engine::floor_to_usize((0.7 * top as f64).ceil());
    let trough = autocorrelation[around].iter().copied().fold(f64::INFINITY, f64::min);
    Some(Hill { lag: top as f64 + offset, height, trough })
}

/// Returns the top of the parabola through three neighbours, of which the middle one is the highest: its offset from
/// the middle (-0.5 to 0.5), and its height.
#[must_use]
pub fn summit(left: f64, middle: f64, right: f64) -> (f64, f64) {
    let bend = left - 2.0 * middle + right;
    if bend >= 0.0 {
        return (0.0, middle);
    }
    let offset = 0.5 * (left - right) / bend;
    (offset, middle - 0.25 * (left - right) * offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn the_autocorrelation_is_the_sum_of_products() {
        let values = [1.0, 4.0, 2.0, 7.0, 3.0];
        let centre = mean(&values);
        let product =
            |lag: usize| -> f64 { (lag..5).map(|i| (values[i] - centre) * (values[i - lag] - centre)).sum() };
        for (lag, r) in autocorrelation(&values, 9).iter().enumerate() {
            assert!((r - product(lag) / product(0)).abs() < 1e-12, "{lag}: {r}");
        }
        assert_eq!(autocorrelation(&[2.0; 8], 3), [0.0; 4]);
    }

    #[test]
    fn the_hill_of_a_sine_is_at_its_period() {
        let sine: Vec<f64> = (0..600).map(|i| libm::sin(TAU * f64::from(i) / 30.4)).collect();
        let hill = hill(&autocorrelation(&sine, 100), 27.0).expect("a sine has a hill");
        assert!((hill.lag - 30.4).abs() < 0.1 && hill.height > 0.93 && hill.trough < -0.9, "{hill:?}");
    }
}
