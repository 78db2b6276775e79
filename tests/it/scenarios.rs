//! The shipped scenarios can be run, and the reference contains every field and variant.

use rushhour::model::node_state::NodeState;
use rushhour::scenario::{DEFAULT_SCENARIO, Scenario};
use rushhour::text::Document;

use crate::harness::{node, run_once, scenario, scenario_with, servers, shipped};
use crate::introspect::{declared_names, used_names};

#[test]
fn every_shipped_scenario_runs_and_requests_are_served() {
    let all = shipped();
    assert!(all.len() >= 6, "{} scenarios", all.len());
    for (name, text) in all {
        let result = run_once(&scenario(&text));
        assert!(
            result.sources.iter().all(|source| source.outcomes.offered > 0),
            "{name}: a source creates no requests"
        );
        // Members that join a group may have left it again before they were up.
        let was_there = |name: &str| {
            let capacity = node(&result, name).capacity.as_ref().expect("a server has a capacity");
            capacity.periods()[0].state != NodeState::Absent
        };
        assert!(
            servers(&result).all(|(name, server)| server.completed > 0 || !was_there(name)),
            "{name}: a server serves no requests"
        );
    }
}

#[test]
fn every_shipped_scenario_begins_with_an_explanation() {
    for (name, text) in shipped() {
        let lines = text.lines().take_while(|line| line.starts_with("//")).count();
        assert!(
            lines >= 4,
            "{name} begins with {lines} lines of comment: explain what will happen, and when"
        );
    }
}

#[test]
fn the_built_in_scenario_is_load_aware_routing() {
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
fn the_reference_contains_every_field_and_every_variant() {
    let (name, text) =
        shipped().into_iter().find(|(name, _)| name == "reference.ron").expect("the reference");
    let document = Document::parse(&name, text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
    let (declared, used) = (declared_names::<Scenario>(), used_names::<Scenario>(&document));
    let missing: Vec<_> = declared.difference(&used).collect();
    assert!(missing.is_empty(), "add these to scenarios/reference.ron: {missing:?}");
    let unknown: Vec<_> = used.difference(&declared).collect();
    assert!(
        unknown.is_empty(),
        "these names of the reference were not found among the declared names: {unknown:?}"
    );
    // Some deeply nested names, so that an incomplete search for declared names does not pass.
    for nested in
        ["DistributionSpec::Truncated.of", "Branch.probability", "::Steps", "::Sine.phase", "RateStep.at"]
    {
        assert!(declared.contains(nested), "{nested} was not found among {declared:?}");
    }
}
