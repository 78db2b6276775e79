//! Compact serialisation of the numbers of a page, as a report contains a hundred thousand of them.
//!
//! Values are rounded to four digits, which is finer than the width of a line; whole numbers are kept. Evenly spaced x
//! values are written as `{start, step, count}`. Writing a page that was read yields the same text.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Upper limit of whole numbers that are written in full.
const MAX_WHOLE: f64 = 1e7;
/// Maximum deviation of evenly spaced x values, in steps.
const MAX_DEVIATION: f64 = 1e-6;

/// Rounds a number to `decimals` digits after the first significant digit. Whole numbers below [`MAX_WHOLE`] are kept.
fn rounded(number: f64, decimals: usize) -> f64 {
    let fraction = number.trunc() - number;
    if fraction.abs() > 0.0 || number.abs() >= MAX_WHOLE {
        format!("{number:.decimals$e}").parse().unwrap_or(number)
    } else {
        number
    }
}

/// A number as JSON: `7` and not `7.0`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(i64),
    Fraction(f64),
}

impl Written {
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number below 1e7")]
    fn of(number: f64, decimals: usize) -> Self {
        let number = rounded(number, decimals);
        if number.abs() < MAX_WHOLE && (number - number.trunc()).abs() <= 0.0 {
            Self::Whole(number as i64)
        } else {
            Self::Fraction(number)
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "whole numbers are small")]
    const fn number(&self) -> f64 {
        match *self {
            Self::Whole(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

/// Serialisation of x values.
pub(super) mod axis_values {
    use super::{Deserialize, Deserializer, MAX_DEVIATION, Serialize, Serializer, Written};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum AxisValues {
        Even { start: Written, step: Written, count: usize },
        Listed(Vec<Written>),
    }

    /// Nine digits: x values resolve a microsecond in a quarter of an hour.
    const DECIMALS: usize = 8;

    #[expect(clippy::cast_precision_loss, reason = "a plot has few x values")]
    fn even_value(start: f64, step: f64, index: usize) -> f64 {
        start + step * index as f64
    }

    /// Start and step of evenly spaced x values, or `None` if they are not evenly spaced.
    #[expect(clippy::cast_precision_loss, reason = "a plot has few x values")]
    fn even(x: &[f64]) -> Option<(f64, f64)> {
        let (first, last) = (*x.first()?, *x.last()?);
        let step = super::rounded((last - first) / (x.len() - 1).max(1) as f64, DECIMALS + 3);
        let is_even =
            |(index, &x): (usize, &f64)| (even_value(first, step, index) - x).abs() <= MAX_DEVIATION * step;
        (x.len() > 2 && step > 0.0 && x.iter().enumerate().all(is_even)).then_some((first, step))
    }

    pub(in super::super) fn serialize<S: Serializer>(x: &[f64], to: S) -> Result<S::Ok, S::Error> {
        let axis_values = match even(x) {
            Some((start, step)) => AxisValues::Even {
                start: Written::of(start, DECIMALS + 3),
                step: Written::of(step, DECIMALS + 3),
                count: x.len(),
            },
            None => AxisValues::Listed(x.iter().map(|&x| Written::of(x, DECIMALS)).collect()),
        };
        axis_values.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        /// Upper limit of x values: a broken file must not allocate all memory.
        const MAX_COUNT: usize = 10_000_000;
        Ok(match AxisValues::deserialize(from)? {
            AxisValues::Even { count, .. } if count > MAX_COUNT => {
                return Err(serde::de::Error::custom(format!(
                    "{count} x values are more than the maximum of {MAX_COUNT}"
                )));
            }
            AxisValues::Even { start, step, count } => {
                (0..count).map(|index| even_value(start.number(), step.number(), index)).collect()
            }
            AxisValues::Listed(listed) => listed.iter().map(Written::number).collect(),
        })
    }
}

/// Serialisation of the values of a line. Values that are not finite are written as `null`.
pub(super) mod values {
    use super::{Deserialize, Deserializer, Serializer, Written};

    /// Values are rounded to four digits.
    const DECIMALS: usize = 3;

    pub(in super::super) fn serialize<S: Serializer>(y: &[Option<f32>], to: S) -> Result<S::Ok, S::Error> {
        let finite = |y: &Option<f32>| y.filter(|y| y.is_finite());
        to.collect_seq(y.iter().map(|y| finite(y).map(|y| Written::of(f64::from(y), DECIMALS))))
    }

    #[expect(clippy::cast_possible_truncation, reason = "values are kept as f32")]
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Option<f32>>, D::Error> {
        let values = Vec::<Option<Written>>::deserialize(from)?;
        Ok(values.iter().map(|value| value.as_ref().map(|value| value.number() as f32)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Line;
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Axis {
        #[serde(with = "axis_values")]
        x: Vec<f64>,
    }

    fn axis(x: Vec<f64>) -> (String, Vec<f64>) {
        let text = serde_json::to_string(&Axis { x }).expect("numbers can be written");
        let read: Axis = serde_json::from_str(&text).expect("numbers can be read");
        assert_eq!(
            serde_json::to_string(&read).expect("numbers can be written again"),
            text,
            "writing it again yields the same text"
        );
        (text, read.x)
    }

    #[test]
    fn evenly_spaced_x_values_are_written_as_start_step_and_count() {
        let x: Vec<f64> = (0..1_000).map(|i| 2.0 + f64::from(i) * 0.1).collect();
        let (text, read) = axis(x.clone());
        assert_eq!(text, r#"{"x":{"start":2,"step":0.1,"count":1000}}"#);
        assert!(x.iter().zip(&read).all(|(a, b)| (a - b).abs() < 1e-9));
        assert_eq!(axis(vec![0.1 + 0.2, 0.7, 5.0]).0, r#"{"x":[0.3,0.7,5]}"#);
        assert_eq!(axis(vec![1.0, 2.0]).1, [1.0, 2.0]);
        assert_eq!(axis(vec![7.0]).1, [7.0]);
        assert_eq!(axis(vec![]).1, [] as [f64; 0]);
        assert_eq!(axis(vec![3.0, 3.0, 3.0]).1, [3.0, 3.0, 3.0]);
    }

    #[test]
    fn a_broken_file_cannot_allocate_all_memory() {
        let text = r#"{"x":{"start":0,"step":1,"count":900000000000}}"#;
        assert!(serde_json::from_str::<Axis>(text).is_err());
    }

    #[test]
    fn values_are_rounded_to_four_digits_and_whole_numbers_are_kept() {
        let values = [0.123_456, 123_456.0, 1e-7, 0.999_99, -2.5, 12_345.678, f32::NAN, f32::INFINITY];
        let line = Line { y: values.into_iter().map(Some).chain([None]).collect(), ..Line::default() };
        let text = serde_json::to_string(&line).expect("numbers can be written");
        assert_eq!(text, r#"{"name":"","y":[0.1235,123456,1e-7,1,-2.5,12350,null,null,null]}"#);
        let read: Line = serde_json::from_str(&text).expect("numbers can be read");
        assert_eq!(serde_json::to_string(&read).expect("numbers can be written again"), text);
        assert_eq!(read.y[1], Some(123_456.0));
    }
}
