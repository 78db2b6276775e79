//! Special functions for partial moments that libm does not have.
//!
//! They run when a scenario is loaded, never per draw. Numbers in parentheses are equations of the NIST Digital Library
//! of Mathematical Functions, <https://dlmf.nist.gov>.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The density of the standard normal law at `x`.
pub(super) fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / libm::sqrt(2.0 * PI)
}

/// The probability that a standard normal variable exceeds `x`.
pub(super) fn normal_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x * FRAC_1_SQRT_2)
}

/// The hazard rate of the standard normal law, density / survival function: the inverse of Mills' ratio. For any `x`.
pub(super) fn normal_hazard(x: f64) -> f64 {
    // erfc is precise up to 20; above, 50 terms of the continued fraction (7.9.3) are more than enough.
    if x < 20.0 {
        return normal_density(x) / normal_tail(x);
    }
    (1..=50).rev().fold(x, |rest, k| x + f64::from(k) / rest)
}

/// `x` times the density at `x` of the gamma law with this shape and scale 1: x^shape e^-x / Γ(shape).
pub(super) fn gamma_x_density(shape: f64, x: f64) -> f64 {
    if x <= 0.0 || x.is_infinite() {
        return 0.0;
    }
    if shape < 10.0 {
        return libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    }
    // Stirling's series (5.11.1) of Γ, with the large logarithms cancelled symbolically instead of numerically.
    let inverse = 1.0 / shape;
    let square = inverse * inverse;
    let stirling =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    let deviation = (x - shape) * inverse;
    libm::sqrt(shape / (2.0 * PI)) * libm::exp(-shape * (deviation - libm::log1p(deviation)) - stirling)
}

/// The regularised lower incomplete gamma function P(shape, x): the probability that a gamma variable with this shape
/// and scale 1 is at most `x`. The error is about 1e-13 for shapes up to 1e8, and 1e-8 above.
pub(super) fn gamma_cdf(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x.is_infinite() {
        return 1.0;
    }
    if shape > 1e8 {
        // Both sums below would take long. The law is normal, apart from its skewness (Edgeworth's first correction).
        let root = libm::sqrt(shape);
        let z = (x - shape) / root;
        return 1.0 - normal_tail(z) - (z * z - 1.0) * normal_density(z) / (3.0 * root);
    }
    if x < shape + 1.0 {
        gamma_x_density(shape, x) * gamma_series(shape, x)
    } else {
        1.0 - gamma_x_density(shape, x) * gamma_fraction(shape, x)
    }
}

/// The power series of P, divided by its first factor (8.7.1).
fn gamma_series(shape: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
    while term > 1e-17 * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// The continued fraction of 1 - P, divided by its first factor (8.9.2), by Lentz's method.
fn gamma_fraction(shape: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - shape;
    let mut d = 1.0 / if b == 0.0 { TINY } else { b };
    let (mut c, mut value) = (1.0 / TINY, d);
    let mut i = 0.0;
    loop {
        i += 1.0;
        let a = -i * (i - shape);
        b += 2.0;
        let denominator = a * d + b;
        d = 1.0 / if denominator == 0.0 { TINY } else { denominator };
        c = b + a / c;
        if c == 0.0 {
            c = TINY;
        }
        value *= d * c;
        // The limit of steps bounds the time; shapes up to 1e8 need some tens of thousands.
        if (d * c - 1.0).abs() < 1e-15 || i > 1e6 {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64, tolerance: f64) {
        assert!((value / expected - 1.0).abs() < tolerance, "{value} is not {expected}");
    }

    /// Reference values were computed with 50-digit arithmetic.
    #[test]
    fn the_incomplete_gamma_function_has_the_reference_values() {
        INCOMPLETE_GAMMA.iter().for_each(|&(shape, x, expected)| close(gamma_cdf(shape, x), expected, 1e-11));
    }

    #[test]
    fn the_hazard_of_the_normal_law_has_the_reference_values_and_is_continuous() {
        HAZARD.iter().for_each(|&(x, expected)| close(normal_hazard(x), expected, 1e-14));
        close(normal_hazard(20.0 - 1e-9), normal_hazard(20.0), 1e-9);
    }

    #[test]
    fn the_incomplete_gamma_function_is_continuous_in_the_shape() {
        for z in [-2.0, -0.3, 0.0, 1.0, 3.0] {
            let at = |shape: f64| gamma_cdf(shape, shape + z * libm::sqrt(shape));
            close(at(1.000_001e8), at(0.999_999e8), 3e-7);
        }
    }

    const INCOMPLETE_GAMMA: [(f64, f64, f64); 11] = [
        (0.05, 0.001, 0.7271792290529226),
        (0.5, 0.2, 0.4729107431344619),
        (1.0, 3.0, 0.950212931632136),
        (2.5, 10.0, 0.9987502694369687),
        (9.9, 5.0, 0.03447433035425408),
        (10.5, 12.0, 0.7069414687414252),
        (100.0, 80.0, 0.017108313035133115),
        (100.0, 130.0, 0.9972495916326934),
        (10000.0, 10000.0, 0.5013298083399552),
        (10000.0, 10200.0, 0.9767126778664011),
        (1000000.0, 999000.0, 0.15865521357430365),
    ];

    const HAZARD: [(f64, f64); 6] = [
        (-5.0, 1.4867199409049056e-06),
        (0.0, 0.7978845608028654),
        (1.5, 1.938677166622543),
        (19.0, 19.052343949197503),
        (25.0, 25.039873012057562),
        (100.0, 100.00999800099926),
    ];
}
