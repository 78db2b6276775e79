//! Cases in which an earlier version drew a false conclusion, from bug reports and from files of people who size systems:
//! each is the simplest of its kind.

use rushhour::analysis::{Evidence, Finding, FindingKind, Severity, Verdict, findings};
use rushhour::format::findings::text;
use rushhour::scenario::Scenario;

use crate::findings_rates::system;
use crate::harness::{run_once, scenario, scenario_with, shipped};

fn of(scenario: &Scenario) -> Vec<Finding> {
    findings(scenario, &run_once(scenario))
}

fn of_kind(kind: FindingKind, found: &[Finding]) -> Vec<&Finding> {
    found.iter().filter(|finding| finding.kind() == kind).collect()
}

fn texts(found: &[Finding]) -> String {
    found.iter().map(|finding| format!("{}: {}\n", finding.kind().name(), text(finding))).collect()
}

#[test]
fn a_server_that_is_offered_half_as_much_again_as_it_serves_is_in_trouble_after_a_hundred_requests() {
    let service = "\"n\": Server(service: Constant(\"1.5s\"))";
    let found = of(&scenario(&system("Constant(rate: \"1/s\")", service, 100.0)));
    assert_eq!(Verdict::of(&found), Verdict::InTrouble, "{}", texts(&found));
    let [overload] = of_kind(FindingKind::Overload, &found)[..] else { panic!("{}", texts(&found)) };
    let Evidence::Overload(overload) = &overload.evidence else { panic!("{overload:?}") };
    assert!((overload.ratio - 1.5).abs() < 0.02, "{overload:?}");
}

#[test]
fn long_services_hold_up_all_others() {
    let service = "\"n\": Server(service: Pareto(mean: \"10ms\", shape: 1.05))";
    let mut in_trouble = 0;
    for seed in 0..20 {
        let scenario =
            scenario_with(&system("Poisson(rate: \"50/s\")", service, 600.0), &[&format!("seed={seed}")]);
        let found = of(&scenario);
        assert_ne!(Verdict::of(&found), Verdict::Healthy, "{seed}: {}", texts(&found));
        if let [long] = of_kind(FindingKind::LongWaits, &found)[..] {
            assert!(text(long).contains("no finite variance"), "{}", text(long));
            in_trouble += 1;
        }
    }
    assert!(in_trouble >= 10, "{in_trouble} of 20");
}

#[test]
fn a_run_in_which_most_requests_did_not_come_back_is_too_short() {
    let service = "\"n\": Server(concurrency: 1000, service: Constant(\"5s\"))";
    let found = of(&scenario(&system("Constant(rate: \"1/s\")", service, 8.0)));
    assert_eq!(Verdict::of(&found), Verdict::TooShort, "{}", texts(&found));
    let [short] = of_kind(FindingKind::TooShort, &found)[..] else { panic!("{}", texts(&found)) };
    let Evidence::TooShort(evidence) = &short.evidence else { panic!("{short:?}") };
    let needed = evidence.needed_seconds.expect("a longer run tells");
    // The suggested run tells indeed.
    let found = of(&scenario(&system("Constant(rate: \"1/s\")", service, needed)));
    assert_eq!(Verdict::of(&found), Verdict::Healthy, "{needed} s: {}", texts(&found));
}

#[test]
fn an_overload_needs_the_servers_that_its_load_fills() {
    let rate = "Constant(rate: Spike(base: \"1/s\", peak: \"10/s\", from: \"10s\", to: \"20s\"))";
    let scenario = scenario(&system(rate, "\"n\": Server(service: Constant(\"200ms\"))", 60.0));
    let found = of(&scenario);
    let [overload] = of_kind(FindingKind::Overload, &found)[..] else { panic!("{}", texts(&found)) };
    let Evidence::Overload(evidence) = &overload.evidence else { panic!("{overload:?}") };
    assert!((evidence.load_in_servers - 2.0).abs() < 0.05, "{evidence:?}");
    assert!(text(overload).contains("the load was that of 2.0"), "{}", text(overload));
    // A probe of single requests is no oscillation.
    let probe = "probes=[(of: \"n\", gauges: [InFlight], every: \"100ms\")]";
    let probed = scenario_with(&system(rate, "\"n\": Server(service: Constant(\"200ms\"))", 60.0), &[probe]);
    assert_eq!(texts(&of(&probed)), texts(&found));
}

#[test]
fn a_server_that_has_served_nobody_is_overloaded() {
    let scenario =
        scenario(&system("Constant(rate: \"10/s\")", "\"n\": Server(service: Constant(\"1h\"))", 60.0));
    let found = of(&scenario);
    let [overload] = of_kind(FindingKind::Overload, &found)[..] else { panic!("{}", texts(&found)) };
    let Evidence::Overload(evidence) = &overload.evidence else { panic!("{overload:?}") };
    assert!((evidence.ratio - 36_000.0).abs() < 1_000.0, "{evidence:?}");
    let [saturation] = of_kind(FindingKind::Saturation, &found)[..] else { panic!("{}", texts(&found)) };
    assert!(text(saturation).ends_with("it takes about 299 h to serve them."), "{}", text(saturation));
}

#[test]
fn without_keys_a_key_hash_sends_everything_to_one_server() {
    let nodes = "\"n\": LoadBalancer(policy: KeyHash(), to: \"m\"), \"m\": Server(count: 3, service: Exponential(mean: \"10ms\"))";
    let found = of(&scenario(&system("Poisson(rate: \"90/s\")", nodes, 100.0)));
    let [hot] = of_kind(FindingKind::HotKey, &found)[..] else { panic!("{}", texts(&found)) };
    assert!(text(hot).starts_with("Every request has key 0, so all of them go to m-0"), "{}", text(hot));
    assert!(text(hot).ends_with("The other 2 members get none."), "{}", text(hot));
    // At a low load it is no trouble, but said.
    let found = of(&scenario(&system("Poisson(rate: \"10/s\")", nodes, 300.0)));
    let [uneven] = of_kind(FindingKind::LoadImbalance, &found)[..] else { panic!("{}", texts(&found)) };
    assert_eq!((uneven.severity(), Verdict::of(&found)), (Severity::Context, Verdict::Healthy));
}

#[test]
fn a_hot_key_among_three_is_found() {
    let nodes = "\"n\": LoadBalancer(policy: KeyHash(), to: \"m\"), \"m\": Server(count: 3, service: Exponential(mean: \"10ms\"))";
    let keys = "Poisson(rate: \"100/s\"), key: Weighted([(0, 5.0), (1, 90.0), (2, 5.0)])";
    let found = of(&scenario(&system(keys, nodes, 100.0)));
    let [hot] = of_kind(FindingKind::HotKey, &found)[..] else { panic!("{}", texts(&found)) };
    assert_eq!(hot.subject, "m-1");
}

#[test]
fn the_health_of_a_fleet_names_its_busiest_server_and_the_whole_group() {
    let (_, fleet) = shipped().into_iter().find(|(name, _)| name == "fleet.ron").expect("a shipped scenario");
    let found = of(&scenario(&fleet));
    let [healthy] = of_kind(FindingKind::Healthy, &found)[..] else { panic!("{}", texts(&found)) };
    let Evidence::Healthy(evidence) = &healthy.evidence else { panic!("{healthy:?}") };
    let group = evidence.group.as_ref().expect("it is a group");
    assert_eq!((group.name.as_str(), group.members), ("server", 1000));
    // M/M/1 at load 0.7 waits 2.33 services.
    assert!((group.wait_by_service - 2.33).abs() < 0.1, "{evidence:?}");
    assert!(evidence.wait_by_service > group.wait_by_service, "{evidence:?}");
    assert!(text(healthy).contains("Over all of server (1,000 servers), they wait 2.3"), "{}", text(healthy));
}

#[test]
fn room_is_only_given_as_a_number_if_it_says_something() {
    let text_of = |rate: &str, service: &str| {
        let nodes = format!("\"n\": Server(service: Constant(\"{service}\"))");
        let found = of(&scenario(&system(&format!("Constant(rate: \"{rate}\")"), &nodes, 100.0)));
        let [healthy] = of_kind(FindingKind::Healthy, &found)[..] else { panic!("{}", texts(&found)) };
        text(healthy)
    };
    assert!(text_of("50/s", "10ms").ends_with("Its load can grow by 100 % before every slot is busy."));
    assert!(
        text_of("5/s", "10ms").ends_with("Its load can grow more than 10 times before every slot is busy.")
    );
    assert!(text_of("50/s", "0s").ends_with("as long as they are served."));
}

#[test]
fn the_peak_of_a_short_run_is_not_an_average_over_half_of_it() {
    let nodes = "\"n\": Server(service: Constant(\"10ms\"))";
    let peak = |seconds: f64| {
        let found = of(&scenario(&system("Constant(rate: \"40/s\")", nodes, seconds)));
        let [healthy] = of_kind(FindingKind::Healthy, &found)[..] else { panic!("{}", texts(&found)) };
        text(healthy).contains("in its busiest")
    };
    assert!(!peak(10.0) && peak(100.0));
}
