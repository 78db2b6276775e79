//! The scenarios that are shipped can be run, and the reference shows all that can be written.

use rushhour::scenario::{DEFAULT_SCENARIO, Scenario, load};
use rushhour::text::Document;

use crate::harness::{run_once, scenario, scenario_with, servers, shipped};
use crate::introspect::{everything, mentioned};

#[test]
fn every_shipped_scenario_runs_and_requests_are_served() {
    let all = shipped();
    assert!(all.len() >= 6, "{} scenarios", all.len());
    for (name, text) in all {
        let loaded = load(&name, text.as_bytes(), &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
        let result = run_once(&loaded.scenario);
        assert!(
            result.sources.iter().all(|source| source.outcomes.offered > 0),
            "{name}: a source stays idle"
        );
        assert!(servers(&result).all(|(_, server)| server.completed > 0), "{name}: a server stays idle");
    }
}

#[test]
fn every_shipped_scenario_opens_with_its_story() {
    for (name, text) in shipped() {
        let story = text.lines().take_while(|line| line.starts_with("//")).count();
        assert!(story >= 4, "{name} opens with {story} lines of comment: tell what will happen, and when");
    }
}

#[test]
fn the_default_scenario_is_the_one_of_load_aware_routing() {
    let (name, text) = DEFAULT_SCENARIO;
    assert!(shipped().contains(&(name.to_owned(), text.to_owned())));
    assert_eq!(name, "load_aware_routing.ron");
}

#[test]
fn switching_load_aware_routing_off_changes_nothing_else() {
    let find = |name: &str| shipped().into_iter().find(|(file, _)| file == name).expect("a scenario").1;
    let on = scenario_with(
        &find("load_aware_routing.ron"),
        &["nodes.client.routing.smart=false", "name=\"load-aware routing, switched off\""],
    );
    assert_eq!(scenario(&find("load_aware_routing_off.ron")), on);
}

#[test]
fn the_reference_shows_every_field_and_every_variant_there_is() {
    let (name, text) =
        shipped().into_iter().find(|(name, _)| name == "reference.ron").expect("the reference");
    let document = Document::parse(&name, text.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let (all, shown) = (everything::<Scenario>(), mentioned::<Scenario>(&document));
    let missing: Vec<_> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "show and explain these in scenarios/reference.ron: {missing:?}");
    let unknown: Vec<_> = shown.difference(&all).collect();
    assert!(unknown.is_empty(), "this test looks for less than there is: {unknown:?}");
    // So that a mistake of the search does not look like success: some that lie deep, by name.
    for deep in
        ["DistributionSpec::Truncated.of", "Branch.probability", "::Steps", "::Sine.phase", "RateStep.at"]
    {
        assert!(all.contains(deep), "{deep} was not found among {all:?}");
    }
}
