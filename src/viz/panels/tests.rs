//! The panels as a user operates them: widgets are found by their accessibility labels. Needs no GPU.

use std::time::Duration;

use bevy_egui::egui::accesskit::Role;
use bevy_egui::egui::{Event, Key, Modifiers, PointerButton, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::{Origin, Panels, Tab};
use crate::model::metric::QUEUE_DEPTH;
use crate::model::node_state::NodeState;
use crate::model::parts::Setting;
use crate::request::Outcome;
use crate::scenario::{DEFAULT_SCENARIO, load};
use crate::simulation::{RunOptions, run};
use crate::viz::edits::Edit;
use crate::viz::log::LogKind;
use crate::viz::session::{Session, moment, server_state};
use crate::viz::tracked_request::{RequestLocation, TrackedRequest};

/// The panels with the default scenario, at 60 frames per second.
fn window() -> Harness<'static, Panels> {
    window_of(DEFAULT_SCENARIO)
}

fn window_of((name, text): (&str, &str)) -> Harness<'static, Panels> {
    let mut panels = Panels::open(Origin::of(name, text));
    panels.session.as_mut().expect("the scenario is valid").background_run.wait(Duration::from_secs(60));
    let frame = |ui: &mut bevy_egui::egui::Ui, panels: &mut Panels| panels.frame(ui, 1.0 / 60.0);
    let mut harness = Harness::builder().with_size(vec2(1_400.0, 900.0)).build_ui_state(frame, panels);
    harness.run_steps(2);
    harness
}

fn session<'a>(harness: &'a mut Harness<'static, Panels>) -> &'a mut Session {
    harness.state_mut().session.as_mut().expect("the scenario is valid")
}

fn click(harness: &mut Harness<'static, Panels>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(2);
}

fn pause_at(harness: &mut Harness<'static, Panels>, seconds: f64) {
    let session = session(harness);
    session.clock.playing = false;
    session.go_to(moment(seconds));
    harness.run_steps(2);
}

/// Selects the box of a node.
fn select(harness: &mut Harness<'static, Panels>, name: &str) {
    let at = session(harness).layout.boxes.iter().position(|place| place.name == name);
    assert!(at.is_some(), "there is no box called {name}");
    harness.state_mut().camera.node = at;
    harness.run_steps(2);
}

#[test]
fn buttons_play_pause_step_and_restart() {
    let mut harness = window();
    assert!(session(&mut harness).clock.playing);
    click(&mut harness, "Pause");
    assert!(!session(&mut harness).clock.playing);
    let before = session(&mut harness).digest().0;
    click(&mut harness, "Event");
    let after = session(&mut harness).digest().0;
    assert!(after > before && after < before + 10, "{before} {after}");
    let ended = |harness: &mut Harness<'static, Panels>| session(harness).live_state.outcomes.ended();
    let before = ended(&mut harness);
    click(&mut harness, "Request");
    assert_eq!(ended(&mut harness), before + 1);
    let speed = session(&mut harness).clock.speed;
    click(&mut harness, "+");
    assert_eq!(session(&mut harness).clock.speed, speed + 1);
    click(&mut harness, "Restart");
    assert_eq!(session(&mut harness).digest().0, 0);
    click(&mut harness, "Play");
    assert!(session(&mut harness).clock.playing);
}

#[test]
fn playback_stops_at_the_first_rejection_if_the_stop_is_set() {
    let mut harness = window();
    click(&mut harness, "Stop at");
    click(&mut harness, "a rejection or loss");
    assert!(harness.query_by_label("Stop at (1)").is_some());
    session(&mut harness).clock.speed = 13;
    for _ in 0..500 {
        harness.step();
    }
    assert!(!session(&mut harness).clock.playing);
    assert_eq!(session(&mut harness).live_state.outcomes.of(Outcome::Rejected), 1);
}

#[test]
fn the_next_menu_goes_to_the_next_finding() {
    let mut harness = window();
    pause_at(&mut harness, 0.0);
    click(&mut harness, "Next");
    click(&mut harness, "finding");
    let now = session(&mut harness).clock.now.as_seconds();
    let starts: Vec<f64> =
        session(&mut harness).background_run.findings().iter().filter_map(|finding| finding.from).collect();
    assert!(now > 0.0 && starts.iter().any(|start| (start - now).abs() < 1e-6), "{now} {starts:?}");
}

#[test]
fn compared_sessions_show_the_same_time_and_the_same_arrivals() {
    let mut harness = window();
    click(&mut harness, "Compare");
    click(&mut harness, "load_aware_routing_off.ron");
    for seconds in [14.0, 31.0, 2.5] {
        pause_at(&mut harness, seconds);
        let own = session(&mut harness);
        let (now, offered) = (own.clock.now, own.live_state.outcomes.offered);
        let compared = harness.state().compared.as_ref().expect("a comparison was chosen");
        assert_eq!(
            (compared.clock.now, compared.live_state.outcomes.offered),
            (now, offered),
            "at {seconds} s"
        );
    }
    pause_at(&mut harness, 24.0);
    let failed = |session: &Session| session.live_state.outcomes.of(Outcome::Rejected);
    let own = failed(session(&mut harness));
    let compared = failed(harness.state().compared.as_ref().expect("a comparison was chosen"));
    assert!(own < compared, "without load-aware routing more requests are rejected: {own} {compared}");
    harness.get_by_label("Play").click();
    harness.run_steps(30);
    let now = session(&mut harness).clock.now;
    assert!(now > moment(24.0));
    assert_eq!(harness.state().compared.as_ref().map(|compared| compared.clock.now), Some(now));
}

#[test]
fn the_log_is_filtered_and_a_line_goes_to_its_time_and_request() {
    let mut harness = window();
    pause_at(&mut harness, 13.0);
    click(&mut harness, "Log");
    assert_eq!(harness.state().tab, Tab::Log);
    harness.state_mut().filter.kind = Some(LogKind::Rejected);
    harness.run_steps(2);
    let filter = harness.state().filter;
    let entries = session(&mut harness).live_state.log.latest(&filter, 10);
    assert!(entries.len() > 2 && entries.iter().all(|entry| entry.kind() == LogKind::Rejected));
    let entry = entries[1];
    let start = format!("{:>11.6}  {:<6}", entry.at.as_seconds(), entry.key);
    harness.get_all_by_label_contains(&start).next().expect("the log has this line").click();
    harness.run_steps(2);
    assert_eq!(session(&mut harness).clock.now, entry.at);
    assert_eq!(harness.state().camera.request, Some(entry.request));
}

#[test]
fn a_metric_is_pinned_to_its_box_and_unpinned() {
    let mut harness = window();
    pause_at(&mut harness, 12.0);
    select(&mut harness, "server-2");
    let toggle = |harness: &Harness<'static, Panels>| {
        let checkbox = harness.get_all_by_label_contains("queue depth: ").next();
        checkbox.expect("the metric is listed").click();
    };
    toggle(&harness);
    harness.run_steps(2);
    let at = harness.state().camera.node.expect("a box is selected");
    assert_eq!(harness.state().camera.pins, [(at, &QUEUE_DEPTH)]);
    toggle(&harness);
    harness.run_steps(2);
    assert!(harness.state().camera.pins.is_empty());
}

#[test]
fn a_selected_box_lists_the_figures_of_its_node_and_its_possible_changes() {
    let mut harness = window();
    let label = |harness: &Harness<'static, Panels>, part: &str| {
        let widget = harness.query_all_by_label_contains(part).next();
        widget.and_then(|node| node.accesskit_node().label().or_else(|| node.value()))
    };
    pause_at(&mut harness, 12.0);
    select(&mut harness, "server-2");
    let (in_service, waiting) = {
        let server_state = server_state(session(&mut harness), "server-2");
        (server_state.in_service, server_state.queue.len())
    };
    assert_eq!((in_service, label(&harness, "in service: ")), (10, Some("in service: 10 of 10".to_owned())));
    assert_eq!(label(&harness, "waiting: "), Some(format!("waiting: {waiting}")));
    for part in ["arrived: ", "served: ", "utilization: ", "mean wait: ", "Kill", "+ slot"] {
        assert!(label(&harness, part).is_some(), "{part} is not shown for a server");
    }
    select(&mut harness, "router");
    let routed = label(&harness, "routed: ").expect("it has routed requests");
    assert!(["client-0 ", "client-1 ", "client-2 "].iter().all(|name| routed.contains(name)), "{routed}");
    assert_eq!((label(&harness, "in service"), label(&harness, "Kill")), (None, None));
    harness.key_press(Key::K);
    harness.run_steps(2);
    assert!(session(&mut harness).edits().is_empty(), "a load balancer cannot be killed");
    select(&mut harness, "everyone");
    let offered = label(&harness, "offered: ").expect("it has created requests");
    assert_eq!(label(&harness, "rejected: "), None, "a count of 0 is hidden");
    click(&mut harness, "+ 25 %");
    assert_eq!(session(&mut harness).edits().len(), 1, "{}", harness.state().status);
    pause_at(&mut harness, 13.0);
    assert_ne!(label(&harness, "offered: "), Some(offered));
}

/// Replaces the text of a setting, and presses Enter.
fn type_over(harness: &mut Harness<'static, Panels>, setting: &str, text: &str) {
    let field = |harness: &Harness<'static, Panels>| {
        let field =
            harness.get_all_by_role(Role::TextInput).find(|node| node.value().as_deref() == Some(setting));
        field.expect("the setting has a text field").rect().center()
    };
    let at = field(harness);
    harness.drag_at(at);
    harness.run_steps(1);
    harness.drop_at(at);
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.event(Event::Text(text.to_owned()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
}

#[test]
fn changes_are_applied_undone_and_saved() {
    let directory = tempfile::tempdir().expect("a directory can be created");
    let mut harness = window();
    pause_at(&mut harness, 15.0);
    select(&mut harness, "server-2");
    let dark = harness.state().theme.dark;
    type_over(&mut harness, "Concurrency(10)", "Concurrency(14)");
    assert_eq!(harness.state().theme.dark, dark, "typing into a field is no keyboard command");
    assert_eq!(session(&mut harness).edits().len(), 1, "{}", harness.state().status);
    assert_eq!(server_state(session(&mut harness), "server-2").active_slots, 14);
    type_over(&mut harness, "Concurrency(14)", "Concurrency(0)");
    assert_eq!(session(&mut harness).edits().len(), 1, "an invalid change is not applied");
    assert!(!harness.state().status.is_empty());
    click(&mut harness, "Kill");
    assert!(server_state(session(&mut harness), "server-2").is_down());
    harness.key_press(Key::K);
    harness.run_steps(2);
    assert!(!server_state(session(&mut harness), "server-2").is_down());
    assert_eq!(session(&mut harness).edits().len(), 3);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    assert!(server_state(session(&mut harness), "server-2").is_down());
    select(&mut harness, "client-0");
    let client = place(&harness, "client-0");
    let routing = session(&mut harness).settings(&client);
    assert_eq!(routing.iter().map(Setting::name).collect::<Vec<_>>(), ["Routing"]);
    click(&mut harness, "Changes");
    pause_at(&mut harness, 17.0);
    select(&mut harness, "server-1");
    click(&mut harness, "Let a fault happen");
    harness.run_steps(30);
    click(&mut harness, "3 times slower");
    assert_eq!(session(&mut harness).edits().len(), 3, "{}", harness.state().status);
    let listed = harness.query_by_label_contains("17.000001 s  server-1 (injected 1)");
    assert!(listed.is_some(), "it is listed");
    let file = directory.path().join("mine.ron");
    harness.state_mut().file = file.display().to_string();
    click(&mut harness, "Save as");
    let text = std::fs::read(&file).unwrap_or_else(|_| panic!("{}", harness.state().status));
    let scenario = load("mine.ron", &text, &[]).unwrap_or_else(|error| panic!("{error}")).scenario;
    let result = run(&scenario, RunOptions::default()).expect("the scenario runs");
    let end = session(&mut harness).end();
    session(&mut harness).go_to(end);
    assert_eq!(session(&mut harness).digest(), (result.events, result.fingerprint));
    click(&mut harness, "Save as");
    assert!(directory.path().join("mine-2.ron").exists(), "an existing file is not overwritten");
}

#[test]
fn the_size_of_a_group_is_changed_at_any_of_its_members() {
    let text = r#"Scenario(name: "growth", run_until: "60s",
        sources: { "users": (arrivals: Poisson(rate: "20/s"), to: "balancer") },
        nodes: {
            "balancer": LoadBalancer(policy: Random, to: "web"),
            "web": Server(count: 2, max: 4, boot: Constant("5s"), service: Constant("10ms")),
        })"#;
    let mut harness = window_of(("growth.ron", text));
    pause_at(&mut harness, 10.0);
    let states = |harness: &mut Harness<'static, Panels>| {
        let name = |member| format!("web-{member}");
        [0, 1, 2, 3].map(|member| server_state(session(harness), &name(member)).state)
    };
    use NodeState::{Absent, Booting, Up};
    assert_eq!(states(&mut harness), [Up, Up, Absent, Absent]);
    select(&mut harness, "web-1");
    click(&mut harness, "+ server");
    let Edit::Change(change) = &session(&mut harness).edits()[0] else { panic!("it is a change") };
    assert_eq!(change.of.0, ["web"]);
    assert_eq!(states(&mut harness), [Up, Up, Booting, Absent]);
    type_over(&mut harness, "Count(3)", "Count(5)");
    assert!(harness.state().status.contains("more than the maximum"), "{}", harness.state().status);
    pause_at(&mut harness, 20.0);
    assert_eq!(states(&mut harness), [Up, Up, Up, Absent]);
    // One that is not there cannot be killed.
    select(&mut harness, "web-3");
    harness.key_press(Key::K);
    harness.run_steps(2);
    assert_eq!(session(&mut harness).edits().len(), 1);
}

fn place(harness: &Harness<'static, Panels>, name: &str) -> crate::viz::layout::NodeBox {
    let session = harness.state().session.as_ref().expect("the scenario is valid");
    session.layout.boxes.iter().find(|place| place.name == name).expect("the node has a box").clone()
}

#[test]
fn another_scenario_can_be_chosen() {
    let mut harness = window();
    let combo =
        harness.get_all_by_value("load_aware_routing.ron").next().expect("the list shows the scenario");
    combo.click();
    harness.run_steps(2);
    click(&mut harness, "mm1.ron");
    assert_eq!(session(&mut harness).name, "mm1.ron");
    assert!(session(&mut harness).clock.playing);
}

#[test]
fn compared_systems_with_the_same_number_of_boxes_may_differ() {
    let text = |kind: &str| {
        format!(
            r#"(name: "x", run_until: "9s", sources: {{"s": (arrivals: Constant(rate: "9/s"), to: "a")}},
               nodes: {{"a": {kind}, "b": Server(service: Constant("5ms"))}})"#
        )
    };
    let [one, other] =
        ["LoadBalancer(policy: Random, to: \"b\")", "Server(service: Constant(\"5ms\"), then: \"b\")"];
    for (one, other) in [(one, other), (other, one)] {
        let mut harness = window();
        *harness.state_mut() = Panels::open(Origin::of("one.ron", &text(one)));
        harness.state_mut().compare(Some(&Origin::of("other.ron", &text(other))));
        pause_at(&mut harness, 5.0);
        let kinds =
            |session: &Session| session.layout.boxes.iter().map(|place| place.nodes.kind).collect::<Vec<_>>();
        let compared = kinds(harness.state().compared.as_ref().expect("the scenario is valid"));
        assert_ne!(kinds(session(&mut harness)), compared);
    }
}

#[test]
fn a_dragged_box_moves_and_the_camera_stays_until_it_is_reset() {
    let mut harness = window();
    pause_at(&mut harness, 5.0);
    let position = |harness: &Harness<'static, Panels>| {
        let (place, camera) = (place(harness, "router"), &harness.state().camera);
        (place.x, place.y, camera.middle, camera.zoom)
    };
    let before = position(&harness);
    // The box of the router is in the second of four layers, at half the height of the picture.
    let mut at = None;
    for x in (200..700).step_by(10) {
        harness.hover_at(pos2(x as f32, 400.0));
        harness.event(click_at(x as f32, true));
        harness.event(click_at(x as f32, false));
        harness.run_steps(2);
        let selected = harness.state().camera.node;
        let places = &harness.state().session.as_ref().expect("the scenario is valid").layout.boxes;
        if selected.is_some_and(|selected| places[selected].name == "router") {
            at = Some(pos2(x as f32 + 10.0, 400.0));
            break;
        }
    }
    let at = at.expect("the router was clicked");
    harness.drag_at(at);
    harness.run_steps(2);
    harness.hover_at(at + vec2(40.0, -60.0));
    harness.run_steps(2);
    harness.drop_at(at + vec2(40.0, -60.0));
    harness.run_steps(2);
    let after = position(&harness);
    let moved = (40.0 / before.3, 60.0 / before.3);
    assert!(
        (after.0 - before.0 - moved.0).abs() < 2.0 && (after.1 - before.1 - moved.1).abs() < 2.0,
        "{after:?}"
    );
    assert_eq!((after.2, after.3.to_bits()), (before.2, before.3.to_bits()), "the camera stays");
    harness.key_press(Key::L);
    harness.run_steps(2);
    assert_eq!(position(&harness), before);
}

fn click_at(x: f32, pressed: bool) -> Event {
    let (pos, button) = (pos2(x, 400.0), PointerButton::Primary);
    Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE }
}

#[test]
fn the_inspector_shows_the_journey_of_a_request_with_its_calls() {
    let text = include_str!("../../../scenarios/slow_dependency.ron");
    let panels = Panels::open(Origin::of("slow_dependency.ron", text));
    let frame = |ui: &mut bevy_egui::egui::Ui, panels: &mut Panels| panels.frame(ui, 1.0 / 60.0);
    let mut harness = Harness::builder().with_size(vec2(1_400.0, 900.0)).build_ui_state(frame, panels);
    pause_at(&mut harness, 45.0);
    let is_calling = |request: &&TrackedRequest| matches!(request.location, RequestLocation::Calling { .. });
    let row = session(&mut harness).live_state.tracked_requests().find(is_calling).map(|request| request.row);
    harness.state_mut().camera.request = row;
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("waiting for a call since").is_some());
    assert!(harness.query_by_label_contains("call, in flight").is_some());
    // The path of the call begins at its caller, and leads to the database.
    assert!(harness.query_by_label_contains("    database  +").is_some());
}
