//! Numbers on the command line. A number that is not valid is an error that states the valid ones.

/// Reads a number from 0 to 2^64 - 1.
pub(super) fn number(text: &str) -> Result<u64, String> {
    between(text, 0, u64::MAX)
}

/// Reads a number from 1 to 2^64 - 1.
pub(super) fn positive(text: &str) -> Result<u64, String> {
    between(text, 1, u64::MAX)
}

/// Reads a number from 0 to 2^32 - 1.
pub(super) fn few(text: &str) -> Result<usize, String> {
    between(text, 0, u32::MAX.into()).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

fn between(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let valid = text.parse().ok().filter(|number| (min..=max).contains(number));
    valid.ok_or_else(|| format!("expected a whole number from {min} to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_states_the_valid_numbers() {
        assert_eq!((number("18446744073709551615"), positive("1"), few("0")), (Ok(u64::MAX), Ok(1), Ok(0)));
        for invalid in ["-1", "", "1.5", "18446744073709551616", "1e3", "seven"] {
            let error = number(invalid).expect_err(invalid);
            assert_eq!(error, "expected a whole number from 0 to 18446744073709551615");
        }
        assert!(positive("0").is_err() && few("4294967296").is_err());
    }
}
