//! A law given by Rust code: any [`Distribution`], in place of the laws that a scenario file can name.

use std::fmt;
use std::sync::Arc;

use rand::Rng;
use rand_distr::Distribution;

use super::{Law, PartialMoments, Sampler};
use crate::engine::spec_error::SpecError;
use crate::engine::units::Quantity;

/// A distribution with its moments, in seconds or bytes.
#[derive(Clone)]
pub struct Custom {
    law: Arc<dyn AnyDistribution>,
    mean: f64,
    sd: f64,
    /// Base units in a unit of the law.
    scale: f64,
}

/// [`Distribution`] is generic over the generator, and no trait object can be made of it: here the generator is one.
trait AnyDistribution: Send + Sync {
    fn draw(&self, rng: &mut dyn Rng) -> f64;
}

impl<D: Distribution<f64> + Send + Sync> AnyDistribution for D {
    fn draw(&self, rng: &mut dyn Rng) -> f64 {
        self.sample(rng)
    }
}

impl Custom {
    pub(super) fn new(law: impl Distribution<f64> + Send + Sync + 'static, mean: f64, sd: f64) -> Self {
        Self { law: Arc::new(law), mean, sd, scale: 1.0 }
    }
}

pub(super) fn resolve<Q: Quantity>(law: &Custom) -> Result<Sampler, SpecError> {
    if !(law.mean >= 0.0 && law.mean.is_finite()) {
        return Err(SpecError::at(
            "",
            format!("the mean of a custom distribution is {}: expected a finite number, 0 or more", law.mean),
        ));
    }
    if law.sd.is_nan() || law.sd < 0.0 {
        return Err(SpecError::at(
            "",
            format!("the sd of a custom distribution is {}: expected 0 or more", law.sd),
        ));
    }
    Ok(Sampler::Custom(Box::new(Custom { scale: Q::BASE_UNITS, ..law.clone() })))
}

impl Distribution<f64> for Custom {
    fn sample<R: Rng + ?Sized>(&self, mut rng: &mut R) -> f64 {
        // Also turns NaN into zero.
        (self.law.draw(&mut rng) * self.scale).max(0.0)
    }
}

impl Law for Custom {
    fn mean(&self) -> f64 {
        self.mean * self.scale
    }

    fn sd(&self) -> f64 {
        self.sd * self.scale
    }

    fn partial_moments(&self, _: f64, _: f64) -> PartialMoments {
        PartialMoments::UNKNOWN
    }
}

/// Compares identity: distributions cannot be compared by value.
impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.law, &other.law)
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom").field("mean", &self.mean).field("sd", &self.sd).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::{LogNormal, Triangular};

    use crate::engine::distribution::testing::{DRAWS, assert_moments, draws};
    use crate::engine::distribution::{DistributionSpec, Sampler};
    use crate::engine::spec_error::SpecError;
    use crate::engine::time::SimDuration;
    use crate::engine::units::Bytes;

    type Spec = DistributionSpec<SimDuration>;

    fn triangular() -> Spec {
        Spec::custom(Triangular::new(0.0, 0.006, 0.003).expect("a law"), 0.003, 0.006 / 24_f64.sqrt())
    }

    #[test]
    fn seconds_become_nanoseconds_and_bytes_stay_bytes() {
        let sampler = triangular().resolve().expect("a law");
        assert_moments(&draws(&sampler, DRAWS), sampler.mean(), sampler.sd());
        assert_eq!(sampler.mean().to_bits(), 3e6_f64.to_bits());
        let size = DistributionSpec::<Bytes>::custom(LogNormal::new(7.0, 0.5).expect("a law"), 1242.6, 662.2);
        let sampler = size.resolve().expect("a law");
        assert_moments(&draws(&sampler, 10_000), sampler.mean(), sampler.sd());
    }

    #[test]
    fn nothing_negative_is_drawn() {
        let below = Spec::custom(Triangular::new(-2.0, -1.0, -1.5).expect("a law"), 0.0, 0.0);
        assert!(draws(&below.resolve().expect("a law"), 100).iter().all(|&x| x.to_bits() == 0));
    }

    #[test]
    fn it_can_be_shifted_but_not_truncated() {
        let ms = SimDuration::from_nanos(1_000_000);
        let shifted = Spec::Shifted { by: ms, of: Box::new(triangular()) }.resolve().expect("a law");
        assert_eq!(shifted.mean().to_bits(), 4e6_f64.to_bits());
        let truncated = Spec::Truncated { min: Some(ms), max: None, of: Box::new(triangular()) };
        let error: SpecError = truncated.resolve().expect_err("its distribution function is not known");
        assert!(error.to_string().contains("truncate it in Rust"), "{error}");
    }

    #[test]
    fn invalid_moments_are_refused() {
        for (mean, sd) in [(-1.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 0.0), (1.0, -1.0), (1.0, f64::NAN)] {
            assert!(
                Spec::custom(Triangular::new(0.0, 1.0, 0.5).expect("a law"), mean, sd).resolve().is_err()
            );
        }
    }

    #[test]
    fn it_equals_its_clones_and_cannot_be_serialized() {
        let law = triangular();
        assert_eq!(law, law.clone());
        assert_ne!(law, triangular());
        assert!(serde_json::to_string(&law).is_err());
        assert!(serde_json::from_str::<Spec>(r#"{"Custom":null}"#).is_err());
        assert!(matches!(law.resolve(), Ok(Sampler::Custom(_))));
    }
}
