//! Rates as written in a scenario: "20/s", or a shape like `Spike(..)`.

use std::fmt;

use serde::de::value::EnumAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::cycle::{Cycle, DAY};
use super::{Piecewise, RateProfile, Sine};
use crate::engine::spec_error::SpecError;
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;

/// A rate over time as written in a scenario. A plain rate like "20/s" is constant.
#[derive(Clone, Debug, PartialEq)]
pub enum RateSpec {
    /// The same rate at all times: "20/s".
    Constant(Rate),
    /// A rate that varies over time.
    Shape(RateShape),
}

/// How a rate varies over virtual time, which counts from the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RateShape {
    /// `base`, but `peak` between two times. A peak below the base is a dip.
    Spike {
        /// The rate outside the peak.
        base: Rate,
        /// The rate during the peak.
        peak: Rate,
        /// Start of the peak.
        from: SimDuration,
        /// End of the peak, later than `from`.
        to: SimDuration,
    },
    /// Linear between two times; constant before and after.
    Ramp {
        /// The rate up to `start`.
        from: Rate,
        /// The rate from `end` on.
        to: Rate,
        /// Start of the ramp.
        start: SimDuration,
        /// End of the ramp, later than `start`.
        end: SimDuration,
    },
    /// Constant from each step to the next. The last step has no end; before the first one the rate is 0.
    Steps(Vec<RateStep>),
    /// Linear from each point to the next; constant before the first and after the last.
    Points(Vec<RateStep>),
    /// A sine wave: mean + amplitude * sin(2 pi (time + phase) / period).
    Sine {
        /// Mean rate over a period.
        mean: Rate,
        /// Maximum deviation from the mean; at most the mean.
        amplitude: Rate,
        /// Time from crest to crest, above 0.
        period: SimDuration,
        /// Offset of the wave at the start of the run. By default 0: the rate starts at its mean and rises. With a
        /// quarter of the period it starts at the crest.
        #[serde(skip_serializing_if = "Option::is_none")]
        phase: Option<SimDuration>,
    },
    /// Linear from each point to the next, and from the last point of a day to the first one of the next day. The run
    /// starts at midnight.
    Daily(Vec<RateStep>),
    /// The same for any period.
    Cycle {
        /// The period, above 0.
        period: SimDuration,
        /// The points, before the end of the period.
        points: Vec<RateStep>,
    },
    /// The sum of several rates.
    Sum(Vec<RateSpec>),
    /// Another rate times a factor.
    Scaled {
        /// The factor, 0 or more.
        by: f64,
        /// The other rate.
        of: Box<RateSpec>,
    },
}

/// One step of [`RateShape::Steps`], or one point of [`RateShape::Points`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateStep {
    /// Start of the step, or time of the point.
    pub at: SimDuration,
    /// The rate from then on, or at the point.
    pub rate: Rate,
}

impl RateSpec {
    /// Checks the parameters and builds the profile.
    ///
    /// # Errors
    /// If the parameters are invalid, with the field and a hint.
    pub fn resolve(&self) -> Result<RateProfile, SpecError> {
        match self {
            Self::Constant(rate) => Ok(RateProfile::Constant(*rate)),
            Self::Shape(shape) => shape.resolve(),
        }
    }

    /// The rate times a factor, without [`RateShape::Scaled`] in it, or `None` if the product is not a valid rate.
    #[must_use]
    pub fn times(&self, factor: f64) -> Option<Self> {
        let times = |rate: &Rate| Rate::per_second(rate.as_per_second() * factor);
        let all = |steps: &[RateStep]| -> Option<Vec<RateStep>> {
            steps.iter().map(|step| Some(RateStep { rate: times(&step.rate)?, ..*step })).collect()
        };
        let shape = match self {
            Self::Constant(rate) => return times(rate).map(Self::Constant),
            Self::Shape(shape) => shape,
        };
        Some(Self::Shape(match shape {
            RateShape::Spike { base, peak, from, to } => {
                RateShape::Spike { base: times(base)?, peak: times(peak)?, from: *from, to: *to }
            }
            RateShape::Ramp { from, to, start, end } => {
                RateShape::Ramp { from: times(from)?, to: times(to)?, start: *start, end: *end }
            }
            RateShape::Steps(steps) => RateShape::Steps(all(steps)?),
            RateShape::Points(points) => RateShape::Points(all(points)?),
            RateShape::Sine { mean, amplitude, period, phase } => RateShape::Sine {
                mean: times(mean)?,
                amplitude: times(amplitude)?,
                period: *period,
                phase: *phase,
            },
            RateShape::Daily(points) => RateShape::Daily(all(points)?),
            RateShape::Cycle { period, points } => RateShape::Cycle { period: *period, points: all(points)? },
            RateShape::Sum(parts) => {
                RateShape::Sum(parts.iter().map(|part| part.times(factor)).collect::<Option<_>>()?)
            }
            RateShape::Scaled { by, of } => return of.times(by * factor),
        }))
    }
}

impl RateSpec {
    /// The scheduled periods of the rate: start, end (`None` if it has none), and the rate as text. A rate that repeats
    /// changes all the time and has no such periods.
    #[must_use]
    pub fn phases(&self) -> Vec<(SimDuration, Option<SimDuration>, String)> {
        match self {
            Self::Constant(_)
            | Self::Shape(RateShape::Sine { .. } | RateShape::Daily(_) | RateShape::Cycle { .. }) => {
                Vec::new()
            }
            Self::Shape(RateShape::Sum(parts)) => {
                let of_parts = parts.iter().flat_map(Self::phases);
                of_parts.map(|(from, to, text)| (from, to, format!("adds {text}"))).collect()
            }
            Self::Shape(RateShape::Scaled { by, of }) => {
                of.times(*by).map(|scaled| scaled.phases()).unwrap_or_default()
            }
            Self::Shape(RateShape::Spike { peak, from, to, .. }) => {
                vec![(*from, Some(*to), peak.to_string())]
            }
            Self::Shape(RateShape::Ramp { from, to, start, end }) => {
                vec![(*start, Some(*end), format!("from {from} to {to}"))]
            }
            Self::Shape(RateShape::Points(points)) => points
                .windows(2)
                .filter(|pair| pair[0].rate != pair[1].rate)
                .map(|pair| {
                    (pair[0].at, Some(pair[1].at), format!("from {} to {}", pair[0].rate, pair[1].rate))
                })
                .collect(),
            // The first step is the initial rate; only the later ones are changes.
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

    /// The period, or `None` if the rate does not repeat. Of a sum, that of the first part that does.
    #[must_use]
    pub fn period(&self) -> Option<SimDuration> {
        match self {
            Self::Shape(RateShape::Sine { period, .. } | RateShape::Cycle { period, .. }) => Some(*period),
            Self::Shape(RateShape::Daily(_)) => Some(DAY),
            Self::Shape(RateShape::Sum(parts)) => parts.iter().find_map(Self::period),
            Self::Shape(RateShape::Scaled { of, .. }) => of.period(),
            Self::Constant(_) | Self::Shape(_) => None,
        }
    }
}

impl RateShape {
    fn resolve(&self) -> Result<RateProfile, SpecError> {
        match self {
            Self::Spike { base, peak, from, to } => {
                later("to", *to, "`from`", *from)?;
                let pieces = Piecewise::starting_at(*base).constant(*from, *peak).constant(*to, *base);
                Ok(RateProfile::Piecewise(pieces))
            }
            Self::Ramp { from, to, start, end } => {
                later("end", *end, "`start`", *start)?;
                let pieces = Piecewise::starting_at(*from).linear(*start, *end, *to);
                Ok(RateProfile::Piecewise(pieces))
            }
            Self::Steps(steps) => resolve_steps(steps),
            Self::Points(points) => resolve_points(points),
            Self::Sine { mean, amplitude, period, phase } => {
                if amplitude > mean {
                    return Err(SpecError::at(
                        "amplitude",
                        format!(
                            "{amplitude} is more than the mean of {mean}: the rate would become negative; use at \
                             most the mean"
                        ),
                    ));
                }
                if period.is_zero() {
                    return Err(zero_period());
                }
                Ok(if *amplitude == Rate::default() {
                    RateProfile::Constant(*mean)
                } else {
                    RateProfile::Sine(Sine::new(*mean, *amplitude, *period, phase.unwrap_or_default()))
                })
            }
            Self::Daily(points) => resolve_cycle(points, DAY),
            Self::Cycle { period, points } => {
                if period.is_zero() {
                    return Err(zero_period());
                }
                resolve_cycle(points, *period).map_err(|error| error.inside("points"))
            }
            Self::Sum(parts) => {
                if parts.is_empty() {
                    return Err(SpecError::at("", "Sum is empty: give at least one rate like \"5/s\""));
                }
                let resolve = |(i, part): (usize, &RateSpec)| {
                    part.resolve().map_err(|error| error.inside(&format!("[{i}]")))
                };
                let parts = parts.iter().enumerate().map(resolve).collect::<Result<_, _>>()?;
                Ok(RateProfile::sum_of(parts))
            }
            Self::Scaled { by, of } => {
                // The errors are those of the rate as it is written.
                of.resolve().map_err(|error| error.inside("of"))?;
                let scaled = of.times(*by).ok_or_else(|| {
                    SpecError::at("by", format!("{by} is no factor of a rate: use 0 or more, such as 0.5"))
                })?;
                scaled.resolve()
            }
        }
    }
}

fn resolve_steps(steps: &[RateStep]) -> Result<RateProfile, SpecError> {
    if steps.is_empty() {
        return Err(SpecError::at("", "Steps is empty: give at least one (at: \"0s\", rate: \"5/s\")"));
    }
    ascending(&times(steps), "step")?;
    let begin = Piecewise::starting_at(Rate::default());
    Ok(RateProfile::Piecewise(steps.iter().fold(begin, |pieces, step| pieces.constant(step.at, step.rate))))
}

fn resolve_points(points: &[RateStep]) -> Result<RateProfile, SpecError> {
    let Some(first) = points.first() else {
        return Err(SpecError::at("", "Points is empty: give at least one (at: \"0s\", rate: \"5/s\")"));
    };
    ascending(&times(points), "point")?;
    let begin = Piecewise::starting_at(first.rate);
    let pieces = points.windows(2);
    let line = |pieces: Piecewise, pair: &[RateStep]| pieces.linear(pair[0].at, pair[1].at, pair[1].rate);
    Ok(RateProfile::Piecewise(pieces.fold(begin, line)))
}

fn resolve_cycle(points: &[RateStep], period: SimDuration) -> Result<RateProfile, SpecError> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err(SpecError::at("", "there is no point: give at least one (at: \"9h\", rate: \"5/s\")"));
    };
    ascending(&times(points), "point")?;
    if last.at >= period {
        let message =
            format!("{} is not before the end of the period of {period}: use an earlier time", last.at);
        return Err(SpecError::at(format!("[{}].at", points.len() - 1), message));
    }
    // The rate at the start of a period, on the line from the last point to the first point of the next period.
    let (before, after) = ((period - last.at).as_nanos_f64(), first.at.as_nanos_f64());
    let share = before / (before + after);
    let at_start = last.rate.as_per_second() * (1.0 - share) + first.rate.as_per_second() * share;
    let at_start = Rate::per_second(at_start).unwrap_or(first.rate);
    let mut pieces = Piecewise::starting_at(at_start);
    let mut from = SimDuration::ZERO;
    for point in points.iter().copied().chain([RateStep { at: period, rate: at_start }]) {
        if point.at > from {
            pieces = pieces.linear(from, point.at, point.rate);
        }
        from = point.at;
    }
    Ok(Cycle::new(pieces, period).map_or(RateProfile::Constant(Rate::default()), RateProfile::Cycle))
}

fn zero_period() -> SpecError {
    SpecError::at("period", "the period is 0s: use a duration above 0s like \"24h\"")
}

/// Returns an error unless these times ascend: those of a list of steps, or what else the noun says.
pub(in crate::model::source) fn ascending(times: &[SimDuration], noun: &str) -> Result<(), SpecError> {
    (1..).zip(times.windows(2)).try_for_each(|(i, pair)| {
        later(&format!("[{i}].at"), pair[1], &format!("`at` of the previous {noun}"), pair[0])
    })
}

fn times(steps: &[RateStep]) -> Vec<SimDuration> {
    steps.iter().map(|step| step.at).collect()
}

/// Returns an error for `field` unless `time` is later than `other`, the value of the field called `name`.
pub(in crate::model::source) fn later(
    field: &str,
    time: SimDuration,
    name: &str,
    other: SimDuration,
) -> Result<(), SpecError> {
    if time > other {
        return Ok(());
    }
    Err(SpecError::at(field, format!("{time} is not later than {name} ({other}): use a later time")))
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
        f.write_str("a rate like \"20/s\", or Spike(..), Ramp(..), Steps([..]), Points([..]), Sine(..), Daily([..]), Cycle(..), \
                     Sum([..]) or Scaled(..)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RateSpec, E> {
        text.parse().map(RateSpec::Constant).map_err(E::custom)
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, access: A) -> Result<RateSpec, A::Error> {
        RateShape::deserialize(EnumAccessDeserializer::new(access)).map(RateSpec::Shape)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<RateSpec, E> {
        Err(missing_unit(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<RateSpec, E> {
        Err(missing_unit(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<RateSpec, E> {
        Err(missing_unit(number))
    }
}

/// The error for a number without a unit.
fn missing_unit<E: de::Error>(number: impl fmt::Display) -> E {
    E::custom(format_args!("{number} lacks a unit: a rate is written like \"20/s\""))
}

#[cfg(test)]
mod tests {
    use serde::de::value::StrDeserializer;
    use serde_json::{Value, json};

    use super::*;

    /// Deserializes JSON objects as enums, as the scenario format does with `Spike(..)`.
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
        let error =
            read(value).expect("the syntax is valid").resolve().expect_err("the parameters are invalid");
        (error.field().to_owned(), error.message().to_owned())
    }

    #[test]
    fn a_string_is_a_constant_rate() {
        let rate = RateSpec::deserialize(StrDeserializer::<de::value::Error>::new("20/s")).expect("a rate");
        assert_eq!(rate, RateSpec::Constant(Rate::per_second(20.0).expect("a rate")));
    }

    #[test]
    fn rates_survive_a_round_trip() {
        for value in [
            json!("20/s"),
            json!({"Spike": {"base": "10/s", "peak": "150/s", "from": "10s", "to": "25s"}}),
            json!({"Ramp": {"from": "0/s", "to": "100/s", "start": "0s", "end": "60s"}}),
            json!({"Steps": [{"at": "10s", "rate": "5/s"}, {"at": "20s", "rate": "0/s"}]}),
            json!({"Points": [{"at": "10s", "rate": "5/s"}, {"at": "20s", "rate": "0/s"}]}),
            json!({"Sine": {"mean": "10/s", "amplitude": "10/s", "period": "3600s"}}),
        ] {
            let spec = read(value.clone()).expect("a rate");
            assert!(spec.resolve().is_ok());
            assert_eq!(serde_json::to_value(&spec).expect("a value"), value);
        }
    }

    #[test]
    fn values_that_are_not_rates_are_rejected_with_a_hint() {
        assert_eq!(
            read(json!(20)).expect_err("it has no unit"),
            "20 lacks a unit: a rate is written like \"20/s\""
        );
        assert!(read(json!(-1)).expect_err("it has no unit").contains("lacks a unit"));
        assert!(read(json!(2.5)).expect_err("it has no unit").contains("lacks a unit"));
        assert!(read(json!("fast")).expect_err("it is not a rate").contains("is not a rate"));
        assert!(
            read(json!(true))
                .expect_err("it is not a rate")
                .contains("expected a rate like \"20/s\", or Spike(..)")
        );
        assert!(read(json!({"Peak": {}})).expect_err("unknown").contains("Spike"));
        let spike = json!({"Spike": {"base": "1/s", "peak": "2/s", "from": "1s", "to": "2s", "at": "3s"}});
        assert!(read(spike).expect_err("unknown field").contains("at"));
    }

    #[test]
    fn invalid_shapes_are_rejected_with_their_field() {
        let spike = json!({"Spike": {"base": "1/s", "peak": "2/s", "from": "2s", "to": "2s"}});
        assert_eq!(
            diagnostic(spike),
            ("to".into(), "2s is not later than `from` (2s): use a later time".into())
        );
        let ramp = json!({"Ramp": {"from": "1/s", "to": "2/s", "start": "2s", "end": "1s"}});
        assert_eq!(diagnostic(ramp).0, "end");
        assert_eq!(diagnostic(json!({"Steps": []})).0, "");
        assert_eq!(diagnostic(json!({"Points": []})).0, "");
        let points = json!({"Points": [{"at": "2s", "rate": "5/s"}, {"at": "1s", "rate": "6/s"}]});
        assert_eq!(
            diagnostic(points),
            (
                "[1].at".into(),
                "1s is not later than `at` of the previous point (2s): use a later time".into()
            )
        );
        let steps = json!({"Steps": [{"at": "1s", "rate": "5/s"}, {"at": "1s", "rate": "6/s"}]});
        assert_eq!(diagnostic(steps).0, "[1].at");
        let sine = |amplitude: &str, period: &str| json!({"Sine": {"mean": "5/s", "amplitude": amplitude, "period": period}});
        assert_eq!(diagnostic(sine("6/s", "1s")).0, "amplitude");
        assert_eq!(diagnostic(sine("1/s", "0s")).0, "period");
    }
}
