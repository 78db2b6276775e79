//! Errors in the values of a scenario: the path of the field and a message.
//!
//! A [`SpecError`] is separate from the syntax errors of the scenario format. The reader of the file knows the position
//! of the field, and prepends the outer part of its path with [`SpecError::inside`].

use std::fmt;

/// An error in a value that is syntactically correct but cannot be simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    field: String,
    message: String,
}

impl SpecError {
    /// An error in `field`. `message` is a sentence with the offending value, the expected values, and a hint.
    #[must_use]
    pub fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The same error with a longer path: `field` becomes `outer.field`, or `outer[3]` for `[3]`.
    #[must_use]
    pub fn inside(mut self, outer: &str) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{outer}{dot}{}", self.field);
        self
    }

    /// The path of the field, relative to the value that was resolved: `sd`, `of.mean`, `branches[1].probability`.
    /// Empty if the error concerns the value as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

impl std::error::Error for SpecError {}

/// Returns the sum of `weights`.
///
/// # Errors
/// If a weight is negative or not finite, or if the sum is 0 or not finite.
pub(crate) fn weights(field: &str, weights: impl IntoIterator<Item = f64>) -> Result<f64, SpecError> {
    let mut sum = 0.0;
    for (i, weight) in weights.into_iter().enumerate() {
        if !(weight.is_finite() && weight >= 0.0) {
            let message = format!("{weight} is not a valid weight: expected a finite number, 0 or more");
            return Err(SpecError::at(format!("[{i}]"), message).inside(field));
        }
        sum += weight;
    }
    if !(sum.is_finite() && sum > 0.0) {
        let message = format!("the weights sum to {sum}: give at least one of them a finite weight above 0");
        return Err(SpecError::at(field, message));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_contains_the_path_of_its_field() {
        let error = SpecError::at("mean", "is missing.").inside("branches[1]").inside("of");
        assert_eq!(error.field(), "of.branches[1].mean");
        assert_eq!(error.to_string(), "of.branches[1].mean: is missing.");
        assert_eq!(SpecError::at("[2]", "").inside("values").field(), "values[2]");
        assert_eq!(SpecError::at("", "").inside("of").field(), "of");
    }

    #[test]
    fn weights_are_finite_and_not_negative_and_at_least_one_is_positive() {
        assert_eq!(weights("weights", [1.0, 0.0, 2.0]), Ok(3.0));
        assert_eq!(weights("weights", [1.0, -1.0]).expect_err("negative").field(), "weights[1]");
        assert_eq!(weights("weights", [f64::NAN]).expect_err("NaN").field(), "weights[0]");
        assert!(weights("weights", [0.0]).expect_err("zero").message().contains("sum to 0"));
        assert!(weights("weights", [f64::MAX, f64::MAX]).is_err());
    }
}
