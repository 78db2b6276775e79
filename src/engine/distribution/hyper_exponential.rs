//! The hyper-exponential law: a mixture of exponential laws. Its sd is at least its mean.
//!
//! Its mean is the weighted mean, its second moment twice the weighted mean of squared means. Feitelson: "Workload
//! modeling for computer systems performance evaluation", 2015, section 3.2.

use rand::Rng;
use rand_distr::Distribution;

use serde::{Deserialize, Serialize};

use super::{Law, PartialMoments, Sampler};
use crate::engine::random::Draw;
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// One of the exponential laws, as written in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch<Q> {
    /// The probability of this law, from 0 to 1.
    pub probability: f64,
    /// The mean of this law.
    pub mean: Q,
}

/// Exponential laws, each with the cumulative probability of it and the laws before it.
#[derive(Clone, Debug, PartialEq)]
pub struct HyperExponential(Vec<(f64, Sampler)>);

pub(super) fn resolve<Q: Quantity>(branches: &[Branch<Q>]) -> Result<Sampler, SpecError> {
    let mut sum = 0.0;
    for (i, Branch { probability, .. }) in branches.iter().enumerate() {
        if !(0.0..=1.0).contains(probability) {
            let diagnostic = format!("{probability} is not a probability: expected a number from 0 to 1");
            return Err(SpecError::at("probability", diagnostic).inside(&format!("branches[{i}]")));
        }
        sum += probability;
    }
    if branches.is_empty() {
        return Err(SpecError::at("branches", "the list is empty: give at least one (probability, mean)"));
    }
    if (sum - 1.0).abs() > 1e-9 {
        let diagnostic = format!("the probabilities sum to {sum}: make them sum to 1");
        return Err(SpecError::at("branches", diagnostic));
    }
    let mut cumulative = 0.0;
    let laws = branches.iter().map(|branch| {
        cumulative += branch.probability / sum;
        (cumulative, Sampler::exponential(branch.mean.to_base()))
    });
    Ok(Sampler::HyperExponential(Box::new(HyperExponential(laws.collect()))))
}

impl HyperExponential {
    /// The laws with their probabilities.
    fn branches(&self) -> impl Iterator<Item = (f64, &Sampler)> {
        self.0.iter().scan(0.0, |previous, (cumulative, law)| {
            let probability = cumulative - *previous;
            *previous = *cumulative;
            Some((probability, law))
        })
    }
}

impl Distribution<f64> for HyperExponential {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = rng.uniform();
        // The last cumulative probability may be below 1 by rounding: the last law is the fallback.
        let chosen = self.0.iter().find(|(cumulative, _)| u < *cumulative).or(self.0.last());
        chosen.map_or(0.0, |(_, law)| law.sample(rng))
    }
}

impl Law for HyperExponential {
    fn mean(&self) -> f64 {
        self.branches().map(|(probability, law)| probability * law.mean()).sum()
    }

    fn sd(&self) -> f64 {
        // The variance within the branches plus that between them, without a difference of large numbers.
        let mean = self.mean();
        let variance = |law: &Sampler| {
            let offset = law.mean() - mean;
            law.sd() * law.sd() + offset * offset
        };
        self.branches().map(|(probability, law)| probability * variance(law)).sum::<f64>().sqrt()
    }

    fn partial_moments(&self, min: f64, max: f64) -> PartialMoments {
        PartialMoments::mixture(
            self.branches().map(|(probability, law)| law.partial_moments(min, max).weighted(probability)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Branch;
    use crate::engine::distribution::testing::{assert_close, assert_consistent, golden};
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;

    fn hyper_exponential(branches: &[(f64, u64)]) -> Result<Sampler, SpecError> {
        let branch = |&(probability, mean)| Branch { probability, mean: SimDuration::from_nanos(mean) };
        DistributionSpec::HyperExponential { branches: branches.iter().map(branch).collect() }.resolve()
    }

    #[test]
    fn draws_follow_the_law() {
        let sampler = hyper_exponential(&[(0.9, 1_000_000), (0.1, 20_000_000)]).expect("a law");
        assert_close(sampler.mean(), 2.9e6, 1e-14);
        assert_close(sampler.sd(), (2.0 * (0.9 + 40.0) - 2.9 * 2.9_f64).sqrt() * 1e6, 1e-14);
        assert_consistent(&sampler);
        let whole = sampler.partial_moments(0.0, f64::INFINITY);
        assert_close(whole.mean(), sampler.mean(), 1e-14);
        assert_close(whole.sd(), sampler.sd(), 1e-14);
    }

    #[test]
    fn invalid_parameters_are_refused() {
        let error = hyper_exponential(&[(0.9, 1), (0.2, 2)]).expect_err("too much");
        assert_eq!(error.field(), "branches");
        assert!(error.message().contains("sum to 1.1"), "{error}");
        assert_eq!(hyper_exponential(&[]).expect_err("empty").field(), "branches");
        for probability in [-0.1, 1.1, f64::NAN] {
            let error = hyper_exponential(&[(0.5, 1), (probability, 2)]).expect_err("not a probability");
            assert_eq!(error.field(), "branches[1].probability");
        }
        assert!(hyper_exponential(&[(0.1, 1), (0.2, 2), (0.7, 2)]).is_ok());
    }

    #[test]
    fn the_values_never_change() {
        let sampler = hyper_exponential(&[(0.6, 1_000_000), (0.4, 20_000_000)]).expect("a law");
        assert_eq!(golden(&sampler), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [
        0x4175_8d75_7f81_51f6,
        0x4120_2ebb_e8c5_fcd8,
        0x4137_49e8_7536_0ae7,
        0x4181_d081_9496_8769,
        0x4120_bcdd_64a0_cc9a,
        0x92e9_6788_103d_b527,
    ];
}
