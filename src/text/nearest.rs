//! Suggests an existing name for an unknown one.

/// Maximum length in bytes of a name that is compared: longer ones are hardly misspelled, and would take long.
const MAX_LENGTH: usize = 64;
/// Minimum length of a name whose first letter may be misspelled. Of short names, the first letter is hardly ever wrong,
/// and often distinguishes terms: `Lifo` is not a misspelled `Fifo`.
const MIN_LENGTH_FOR_FIRST: usize = 6;
/// Maximum number of names in a hint.
const MAX_LISTED: usize = 12;

/// The name in `known` that `name` probably misspells, or `None` if all differ too much.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    if name.len() > MAX_LENGTH {
        return None;
    }
    let name = plain(name);
    let begins_alike = |candidate: &str| {
        let candidate = plain(candidate);
        candidate.chars().count() >= MIN_LENGTH_FOR_FIRST || candidate.chars().next() == name.chars().next()
    };
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_LENGTH && begins_alike(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(&name, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint for an unknown name: "did you mean `a`? available: `a`, `b`", or the list alone.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(nearest) if known.clone().into_iter().nth(1).is_none() => format!("did you mean `{nearest}`?"),
        Some(nearest) => format!("did you mean `{nearest}`? {}", listed(known)),
        None => listed(known),
    }
}

/// The list of available names: "available: `a`, `b` and 3 more".
pub(crate) fn listed<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known = known.into_iter();
    let names: Vec<_> =
        known.by_ref().take(MAX_LISTED).map(|name| format!("`{}`", super::tree::shortened(name))).collect();
    let more = known.count();
    match (names.as_slice(), more) {
        ([], _) => "available: none".to_owned(),
        (names, 0) => format!("available: {}", names.join(", ")),
        (names, more) => format!("available: {} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["capacity", "concurrency", "service", "LoadAware"];

    #[test]
    fn misspelled_names_are_recognised() {
        for (misspelled, expected) in [
            ("capcity", "capacity"),
            ("cpaacity", "capacity"),
            ("load_aware", "LoadAware"),
            ("SERVICE", "service"),
        ] {
            assert_eq!(nearest(misspelled, KNOWN), Some(expected));
        }
        assert_eq!(nearest("oncurrency", KNOWN), Some("concurrency"));
        assert_eq!(nearest("Fifi", ["Fifo"]), Some("Fifo"));
        assert_eq!(nearest("bananas", KNOWN), None);
        assert_eq!(nearest(&"a".repeat(1_000_000), KNOWN), None);
    }

    #[test]
    fn other_terms_of_the_field_are_no_misspellings() {
        let policies = ["Random", "RoundRobin", "KeyHash", "LoadAware"];
        for term in [
            "LeastConnections",
            "LeastLoaded",
            "PowerOfTwo",
            "WeightedRoundRobin",
            "Sticky",
            "ConsistentHash",
        ] {
            assert_eq!(nearest(term, policies), None, "{term}");
        }
        for (term, known) in
            [("Lifo", "Fifo"), ("Edf", "Fifo"), ("Priority", "Poisson"), ("Mean", "Fean"), ("Down", "Up")]
        {
            assert_eq!(nearest(term, [known]), None, "{term}");
        }
    }

    #[test]
    fn at_most_12_available_names_are_listed() {
        assert_eq!(hint("capcity", ["capacity"]), "did you mean `capacity`?");
        assert_eq!(hint("capcity", ["capacity", "x"]), "did you mean `capacity`? available: `capacity`, `x`");
        assert_eq!(listed(KNOWN), "available: `capacity`, `concurrency`, `service`, `LoadAware`");
        assert_eq!(
            listed(std::iter::repeat_n("x", 14)),
            format!("available: {} and 2 more", ["`x`"; 12].join(", "))
        );
        assert_eq!(listed([]), "available: none");
    }
}
