//! The name that was probably meant by one that does not exist.

/// Longer names are no slips of the pen, and comparing them would take long.
const LONGEST: usize = 64;
/// How many names a hint lists.
const MAX_LISTED: usize = 12;

/// The one of `known` that `name` is most likely a misspelling of.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    if name.len() > LONGEST {
        return None;
    }
    let wanted = plain(name);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to do about an unknown name: "did you mean `a`?", or which names there are.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(nearest) if known.clone().into_iter().nth(1).is_none() => format!("did you mean `{nearest}`?"),
        Some(nearest) => format!("did you mean `{nearest}`? {}", listed(known)),
        None => listed(known),
    }
}

/// "there are `a`, `b` and 3 more"
pub(crate) fn listed<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known = known.into_iter();
    let names: Vec<_> =
        known.by_ref().take(MAX_LISTED).map(|name| format!("`{}`", super::tree::shortened(name))).collect();
    let more = known.count();
    match (names.as_slice(), more) {
        ([], _) => "there are none here".to_owned(),
        ([one], 0) => format!("there is only {one}"),
        ([first @ .., last], 0) => format!("there are {} and {last}", first.join(", ")),
        (names, more) => format!("there are {} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["capacity", "concurrency", "service", "LoadAware"];

    #[test]
    fn slips_of_the_pen_are_recognised() {
        for (slip, meant) in [
            ("capcity", "capacity"),
            ("cpaacity", "capacity"),
            ("load_aware", "LoadAware"),
            ("SERVICE", "service"),
        ] {
            assert_eq!(nearest(slip, KNOWN), Some(meant));
        }
        assert_eq!(nearest("bananas", KNOWN), None);
        assert_eq!(nearest(&"a".repeat(1_000_000), KNOWN), None);
    }

    #[test]
    fn the_names_there_are_are_listed_but_not_without_end() {
        assert_eq!(hint("capcity", ["capacity"]), "did you mean `capacity`?");
        assert_eq!(
            hint("capcity", ["capacity", "x"]),
            "did you mean `capacity`? there are `capacity` and `x`"
        );
        assert_eq!(listed(KNOWN), "there are `capacity`, `concurrency`, `service` and `LoadAware`");
        assert_eq!(
            listed(std::iter::repeat_n("x", 14)),
            format!("there are {} and 2 more", ["`x`"; 12].join(", "))
        );
        assert_eq!(listed([]), "there are none here");
    }
}
