//! Rates as they are written: "20/s", or a shape like `Spike(..)`.

use std::fmt;

use serde::de::value::EnumAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Piecewise, RateProfile, Sine};
use crate::engine::spec_error::SpecError;
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

/// A rate over time as written: a bare rate is constant.
#[derive(Clone, Debug, PartialEq)]
pub enum RateSpec {
    /// Always the same: "20/s".
    Constant(Rate),
    /// Changing with time.
    Shape(RateShape),
}

/// How a rate changes, in virtual time since the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RateShape {
    /// `base`, but `peak` between two moments. A peak below the base is a dip.
    Spike {
        /// The rate outside.
        base: Rate,
        /// The rate inside.
        peak: Rate,
        /// When the peak begins.
        from: SimDuration,
        /// When it is over: later.
        to: SimDuration,
    },
    /// A straight line between two moments; constant before and after.
    Ramp {
        /// The rate up to `start`.
        from: Rate,
        /// The rate from `end` on.
        to: Rate,
        /// When the rate begins to change.
        start: SimDuration,
        /// When it has changed: later.
        end: SimDuration,
    },
    /// Constant from each moment to the next, and after the last for ever. Before the first nothing arrives.
    Steps(Vec<RateStep>),
    /// A wave: mean + amplitude * sin(2 pi (time + phase) / period).
    Sine {
        /// The mean over a period.
        mean: Rate,
        /// How far the rate swings to either side: at most the mean.
        amplitude: Rate,
        /// The time from crest to crest.
        period: SimDuration,
        /// How far the wave is at the start of the run; zero if not given: at its mean, and rising. A quarter of the
        /// period is the crest.
        #[serde(skip_serializing_if = "Option::is_none")]
        phase: Option<SimDuration>,
    },
}

/// One step of [`RateShape::Steps`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateStep {
    /// When it begins.
    pub at: SimDuration,
    /// The rate from then on.
    pub rate: Rate,
}

impl RateSpec {
    /// Checks the shape and works out the profile.
    ///
    /// # Errors
    /// Where the parameters make no profile, with the field and the hint.
    pub fn resolve(&self) -> Result<RateProfile, SpecError> {
        match self {
            Self::Constant(rate) => Ok(RateProfile::Constant(*rate)),
            Self::Shape(shape) => shape.resolve(),
        }
    }
}

impl RateSpec {
    /// The announced changes of the rate: from when, until when if they pass, and what the rate is then. A wave changes
    /// all the time and announces nothing.
    #[must_use]
    pub fn phases(&self) -> Vec<(SimDuration, Option<SimDuration>, String)> {
        match self {
            Self::Constant(_) | Self::Shape(RateShape::Sine { .. }) => Vec::new(),
            Self::Shape(RateShape::Spike { peak, from, to, .. }) => {
                vec![(*from, Some(*to), peak.to_string())]
            }
            Self::Shape(RateShape::Ramp { from, to, start, end }) => {
                vec![(*start, Some(*end), format!("from {from} to {to}"))]
            }
            // The first step is how things begin, the others change them.
            Self::Shape(RateShape::Steps(steps)) => {
                let ends = steps.iter().skip(2).map(|next| Some(next.at)).chain([None]);
                steps
                    .iter()
                    .skip(1)
                    .zip(ends)
                    .map(|(step, end)| (step.at, end, step.rate.to_string()))
                    .collect()
            }
        }
    }

    /// The period, if it is a wave.
    #[must_use]
    pub const fn period(&self) -> Option<SimDuration> {
        match self {
            Self::Shape(RateShape::Sine { period, .. }) => Some(*period),
            Self::Constant(_) | Self::Shape(_) => None,
        }
    }
}

impl RateShape {
    fn resolve(&self) -> Result<RateProfile, SpecError> {
        match self {
            Self::Spike { base, peak, from, to } => {
                later("to", *to, "from", *from)?;
                let pieces = Piecewise::starting_at(*base).constant(*from, *peak).constant(*to, *base);
                Ok(RateProfile::Piecewise(pieces))
            }
            Self::Ramp { from, to, start, end } => {
                later("end", *end, "start", *start)?;
                let pieces = Piecewise::starting_at(*from).linear(*start, *end, *to);
                Ok(RateProfile::Piecewise(pieces))
            }
            Self::Steps(steps) => resolve_steps(steps),
            Self::Sine { mean, amplitude, period, phase } => {
                if amplitude > mean {
                    return Err(SpecError::at(
                        "amplitude",
                        format!(
                            "{amplitude} is more than the mean of {mean}: the rate would become negative; take at \
                             most the mean"
                        ),
                    ));
                }
                if period.is_zero() {
                    return Err(SpecError::at(
                        "period",
                        "a period of 0s is no wave: take a time like \"24h\"",
                    ));
                }
                Ok(if *amplitude == Rate::default() {
                    RateProfile::Constant(*mean)
                } else {
                    RateProfile::Sine(Sine::new(*mean, *amplitude, *period, phase.unwrap_or_default()))
                })
            }
        }
    }
}

fn resolve_steps(steps: &[RateStep]) -> Result<RateProfile, SpecError> {
    if steps.is_empty() {
        return Err(SpecError::at("", "Steps is empty: give at least one (at: \"0s\", rate: \"5/s\")"));
    }
    for (i, pair) in (1..).zip(steps.windows(2)) {
        later("at", pair[1].at, "at of the step before", pair[0].at)
            .map_err(|error| error.inside(&format!("[{i}]")))?;
    }
    let begin = Piecewise::starting_at(Rate::default());
    Ok(RateProfile::Piecewise(steps.iter().fold(begin, |pieces, step| pieces.constant(step.at, step.rate))))
}

/// Complains unless `moment` is later than `other`.
fn later(field: &str, moment: SimDuration, name: &str, other: SimDuration) -> Result<(), SpecError> {
    if moment > other {
        return Ok(());
    }
    Err(SpecError::at(field, format!("{moment} is not later than the {name} ({other}): give a later moment")))
}

impl Serialize for RateSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(rate) => rate.serialize(serializer),
            Self::Shape(shape) => shape.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RateSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RateSpecVisitor)
    }
}

struct RateSpecVisitor;

impl<'de> de::Visitor<'de> for RateSpecVisitor {
    type Value = RateSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rate like \"20/s\", or Spike(..), Ramp(..), Steps([..]) or Sine(..)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RateSpec, E> {
        text.parse().map(RateSpec::Constant).map_err(E::custom)
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, access: A) -> Result<RateSpec, A::Error> {
        RateShape::deserialize(EnumAccessDeserializer::new(access)).map(RateSpec::Shape)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<RateSpec, E> {
        Err(bare(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<RateSpec, E> {
        Err(bare(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<RateSpec, E> {
        Err(bare(number))
    }
}

/// The diagnostic about a number without a unit.
fn bare<E: de::Error>(number: impl fmt::Display) -> E {
    E::custom(format_args!("{number} lacks a unit: a rate is written like \"20/s\""))
}

#[cfg(test)]
mod tests {
    use serde::de::value::StrDeserializer;
    use serde_json::{Value, json};

    use super::*;

    /// Hands out JSON objects as enums, as the scenario's format does with `Spike(..)`.
    struct Enums(Value);

    impl<'de> Deserializer<'de> for Enums {
        type Error = serde_json::Error;

        fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            if self.0.is_object() {
                self.0.deserialize_enum("", &[], visitor)
            } else {
                self.0.deserialize_any(visitor)
            }
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    fn read(value: Value) -> Result<RateSpec, String> {
        RateSpec::deserialize(Enums(value)).map_err(|error| error.to_string())
    }

    fn diagnostic(value: Value) -> (String, String) {
        let error = read(value).expect("well written").resolve().expect_err("no profile");
        (error.field().to_owned(), error.message().to_owned())
    }

    #[test]
    fn a_text_is_a_constant_rate() {
        let rate = RateSpec::deserialize(StrDeserializer::<de::value::Error>::new("20/s")).expect("a rate");
        assert_eq!(rate, RateSpec::Constant(Rate::per_second(20.0).expect("a rate")));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for value in [
            json!("20/s"),
            json!({"Spike": {"base": "10/s", "peak": "150/s", "from": "10s", "to": "25s"}}),
            json!({"Ramp": {"from": "0/s", "to": "100/s", "start": "0s", "end": "60s"}}),
            json!({"Steps": [{"at": "10s", "rate": "5/s"}, {"at": "20s", "rate": "0/s"}]}),
            json!({"Sine": {"mean": "10/s", "amplitude": "10/s", "period": "3600s"}}),
        ] {
            let spec = read(value.clone()).expect("a rate");
            assert!(spec.resolve().is_ok());
            assert_eq!(serde_json::to_value(&spec).expect("a value"), value);
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_hint() {
        assert_eq!(read(json!(20)).expect_err("bare"), "20 lacks a unit: a rate is written like \"20/s\"");
        assert!(read(json!(-1)).expect_err("bare").contains("lacks a unit"));
        assert!(read(json!(2.5)).expect_err("bare").contains("lacks a unit"));
        assert!(read(json!("fast")).expect_err("no rate").contains("is not a rate"));
        assert!(
            read(json!(true)).expect_err("no rate").contains("expected a rate like \"20/s\", or Spike(..)")
        );
        assert!(read(json!({"Peak": {}})).expect_err("unknown").contains("Spike"));
        let spike = json!({"Spike": {"base": "1/s", "peak": "2/s", "from": "1s", "to": "2s", "at": "3s"}});
        assert!(read(spike).expect_err("unknown field").contains("at"));
    }

    #[test]
    fn what_makes_no_profile_is_refused_by_field() {
        let spike = json!({"Spike": {"base": "1/s", "peak": "2/s", "from": "2s", "to": "2s"}});
        assert_eq!(
            diagnostic(spike),
            ("to".into(), "2s is not later than the from (2s): give a later moment".into())
        );
        let ramp = json!({"Ramp": {"from": "1/s", "to": "2/s", "start": "2s", "end": "1s"}});
        assert_eq!(diagnostic(ramp).0, "end");
        assert_eq!(diagnostic(json!({"Steps": []})).0, "");
        let steps = json!({"Steps": [{"at": "1s", "rate": "5/s"}, {"at": "1s", "rate": "6/s"}]});
        assert_eq!(diagnostic(steps).0, "[1].at");
        let sine = |amplitude: &str, period: &str| json!({"Sine": {"mean": "5/s", "amplitude": amplitude, "period": period}});
        assert_eq!(diagnostic(sine("6/s", "1s")).0, "amplitude");
        assert_eq!(diagnostic(sine("1/s", "0s")).0, "period");
    }
}
