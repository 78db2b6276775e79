//! Draws from a list of values: with equal weights, or with given weights by the [alias method](super::AliasTable).

use rand::Rng;
use rand_distr::Distribution;

use super::{AliasTable, Law, PartialMoments, Sampler};
use crate::engine::random::Draw;
use crate::engine::spec_error::{self, SpecError};
use crate::engine::units::Quantity;

/// The empirical law of a list of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Empirical {
    values: Vec<f64>,
    weighted: Option<Weights>,
}

/// The probabilities of the values, and a table to draw from.
#[derive(Clone, Debug, PartialEq)]
struct Weights {
    probabilities: Vec<f64>,
    table: AliasTable,
}

pub(super) fn resolve<Q: Quantity>(values: &[Q], weights: Option<&[f64]>) -> Result<Sampler, SpecError> {
    let values: Vec<f64> = values.iter().map(|value| value.to_base()).collect();
    let Some(&first) = values.first() else {
        return Err(SpecError::at("values", "the list is empty: give at least one value"));
    };
    let weighted = match weights {
        None => None,
        Some(weights) if weights.len() != values.len() => {
            return Err(SpecError::at(
                "weights",
                format!(
                    "{} weights for {} values: give one weight for each value",
                    weights.len(),
                    values.len()
                ),
            ));
        }
        Some(weights) => {
            let sum = spec_error::weights("weights", weights.iter().copied())?;
            let probabilities = weights.iter().map(|weight| weight / sum).collect();
            Some(Weights { probabilities, table: AliasTable::new(weights) })
        }
    };
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        return Ok(Sampler::constant(first));
    }
    Ok(Sampler::Empirical(Box::new(Empirical { values, weighted })))
}

impl Distribution<f64> for Empirical {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let at = match &self.weighted {
            None => rng.index(self.values.len()),
            Some(weights) => weights.table.sample(rng),
        };
        self.values[at]
    }
}

impl Law for Empirical {
    fn mean(&self) -> f64 {
        self.partial_moments(0.0, f64::INFINITY).mean()
    }

    fn sd(&self) -> f64 {
        // About the mean, for precision with values that are far from zero and near each other.
        let whole = self.partial_moments(0.0, f64::INFINITY);
        let mean = whole.mean();
        let square = |(value, probability): (f64, f64)| probability * (value - mean) * (value - mean);
        (self.atoms().map(square).sum::<f64>() / whole.mass).sqrt()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        let inside = self.atoms().filter(|&(value, _)| min <= value && value <= max);
        PartialMoments::mixture(inside.map(|(value, probability)| PartialMoments::atom(value, probability)))
    }
}

impl Empirical {
    /// The values with their probabilities.
    fn atoms(&self) -> impl Iterator<Item = (f64, f64)> {
        let equal = 1.0 / self.values.len() as f64;
        self.values.iter().enumerate().map(move |(i, &value)| {
            (value, self.weighted.as_ref().map_or(equal, |weights| weights.probabilities[i]))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::distribution::testing::{DRAWS, assert_close, assert_moments, draws, golden};
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;

    fn empirical(values: &[u64], weights: Option<&[f64]>) -> Result<Sampler, SpecError> {
        let values = values.iter().map(|&nanos| SimDuration::from_nanos(nanos)).collect();
        DistributionSpec::Empirical { values, weights: weights.map(<[f64]>::to_vec) }.resolve()
    }

    #[test]
    fn values_have_equal_weights_by_default() {
        let sampler = empirical(&[1_000, 2_000, 6_000], None).expect("a law");
        assert_close(sampler.mean(), 3_000.0, 1e-15);
        assert_close(sampler.sd(), (14e6_f64 / 3.0).sqrt(), 1e-15);
        assert_close(sampler.cdf(2_000.0), 2.0 / 3.0, 1e-15);
        assert_close(sampler.cdf(1_999.0), 1.0 / 3.0, 1e-15);
        assert_moments(&draws(&sampler, DRAWS), sampler.mean(), sampler.sd());
    }

    #[test]
    fn values_have_the_given_weights() {
        let sampler = empirical(&[1_000, 2_000, 6_000], Some(&[5.0, 0.0, 15.0])).expect("a law");
        assert_close(sampler.mean(), 4_750.0, 1e-15);
        let draws = draws(&sampler, DRAWS);
        assert!(!draws.iter().any(|x| (1_500.0..5_500.0).contains(x)));
        assert_moments(&draws, sampler.mean(), sampler.sd());
    }

    #[test]
    fn invalid_parameters_are_refused() {
        assert_eq!(empirical(&[], None).expect_err("empty").field(), "values");
        assert_eq!(empirical(&[1, 2], Some(&[1.0])).expect_err("one short").field(), "weights");
        assert_eq!(empirical(&[1, 2], Some(&[0.0, 0.0])).expect_err("all zero").field(), "weights");
        assert_eq!(empirical(&[1, 2], Some(&[1.0, -1.0])).expect_err("negative").field(), "weights[1]");
        assert_eq!(empirical(&[5, 5], None).expect("a constant").as_constant(), Some(5.0));
    }

    #[test]
    fn the_values_never_change() {
        assert_eq!(golden(&empirical(&[1, 2, 3, 4, 5, 6, 7], None).expect("a law")), EQUAL);
        let weights = [1.0, 2.0, 3.0, 4.0];
        let sampler = empirical(&[1, 2, 3, 4], Some(&weights)).expect("a law");
        assert_eq!(golden(&sampler), WEIGHTED);
    }

    const EQUAL: [u64; 6] = [
        0x4018_0000_0000_0000,
        0x4018_0000_0000_0000,
        0x3ff0_0000_0000_0000,
        0x4018_0000_0000_0000,
        0x4000_0000_0000_0000,
        0x5423_1f22_0fe6_136d,
    ];
    const WEIGHTED: [u64; 6] = [
        0x4010_0000_0000_0000,
        0x4008_0000_0000_0000,
        0x4010_0000_0000_0000,
        0x4008_0000_0000_0000,
        0x4010_0000_0000_0000,
        0x0ff7_3efd_3c66_bbb5,
    ];
}
