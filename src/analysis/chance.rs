//! Tail probabilities: of the normal distribution, and of Poisson counts, for which the normal approximation fails if few are expected: with 0.03 requests
//! expected, a count of 2 exceeds the mean by more than 10 standard deviations, yet has a probability of 1 in 2,000.

/// Returns an upper bound on the logarithm of the probability that a Poisson count with mean `expected` is at least
/// `count`: Chernoff's bound ("A measure of asymptotic efficiency for tests of a hypothesis based on the sum of
/// observations", 1952). 0 (no evidence) if `count` is at most `expected`.
pub(super) fn log_tail(count: f64, expected: f64) -> f64 {
    if count <= expected {
        return 0.0;
    }
    if expected > 0.0 { count - expected - count * libm::log(count / expected) } else { f64::NEG_INFINITY }
}

/// Returns a number of standard deviations that a normal variable exceeds with at most this probability, which has to be
/// below 0.1: by the bound exp(-z^2 / 2) / (z sqrt(2 pi)) (Gordon: "Values of Mills' ratio", 1941).
pub(super) fn standard_deviations(probability: f64) -> f64 {
    let root = (2.0 * std::f64::consts::PI).sqrt();
    // The iteration converges from both sides, and quickly.
    (0..20).fold(2.0, |z: f64, _| (-2.0 * libm::log(probability * z * root)).max(1.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_deviations_are_those_of_the_normal_distribution() {
        for (probability, z) in [(0.05, 1.645), (1e-3, 3.090), (1e-6, 4.753), (1e-9, 5.998)] {
            let bound = standard_deviations(probability);
            assert!(bound >= z - 1e-3 && bound < z + 0.1, "{probability}: {bound}");
        }
    }

    #[test]
    fn the_bound_holds_and_is_tight() {
        for expected in [0.03, 1.0, 10.0, 200.0] {
            for z in [2.0, 4.0, 8.0_f64] {
                let count = (expected + z * f64::sqrt(expected)).ceil();
                // The tail, term by term: each is `expected / n` times the one before.
                let first = count * libm::log(expected) - expected - libm::lgamma(count + 1.0);
                let (mut sum, mut term, mut n) = (0.0, 1.0, count);
                while term > 1e-17 {
                    sum += term;
                    n += 1.0;
                    term *= expected / n;
                }
                let tail = first + libm::log(sum);
                let bound = log_tail(count, expected);
                assert!(bound >= tail - 1e-9, "{count} of {expected}: {bound} < {tail}");
                assert!(bound <= tail + 4.0, "{count} of {expected}: {bound} for {tail}");
            }
        }
        assert_eq!((log_tail(3.0, 3.0), log_tail(1.0, 0.0)), (0.0, f64::NEG_INFINITY));
    }
}
