//! Tail probabilities of Poisson counts. The normal approximation fails for small expected counts: with 0.03 requests
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

#[cfg(test)]
mod tests {
    use super::*;

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
