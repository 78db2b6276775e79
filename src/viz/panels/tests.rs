//! The panels as a person uses them, found by what a screen reader is told of them, without a GPU.

use std::time::Duration;

use bevy_egui::egui::accesskit::Role;
use bevy_egui::egui::{Event, Key, Modifiers, PointerButton, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

use super::{Origin, Panels, Tab};
use crate::model::metric::QUEUE_DEPTH;
use crate::model::parts::Setting;
use crate::request::Outcome;
use crate::scenario::{DEFAULT_SCENARIO, load};
use crate::simulation::{RunOptions, run};
use crate::viz::log::LogKind;
use crate::viz::session::{Session, moment, server_state};

/// A window that takes a sixtieth of a second a frame.
fn window() -> Harness<'static, Panels> {
    let (name, text) = DEFAULT_SCENARIO;
    let mut window = Panels::open(Origin::of(name, text));
    window.session.as_mut().expect("it is good").background_run.wait(Duration::from_secs(60));
    let frame = |ui: &mut bevy_egui::egui::Ui, window: &mut Panels| window.frame(ui, 1.0 / 60.0);
    let mut harness = Harness::builder().with_size(vec2(1_400.0, 900.0)).build_ui_state(frame, window);
    harness.run_steps(2);
    harness
}

fn session<'a>(harness: &'a mut Harness<'static, Panels>) -> &'a mut Session {
    harness.state_mut().session.as_mut().expect("it is good")
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

/// Clicks the box of a node.
fn pick(harness: &mut Harness<'static, Panels>, name: &str) {
    let at = session(harness).layout.places.iter().position(|place| place.name == name);
    assert!(at.is_some(), "there is no box called {name}");
    harness.state_mut().view.node = at;
    harness.run_steps(2);
}

#[test]
fn time_plays_stops_steps_and_begins_again_by_buttons() {
    let mut harness = window();
    assert!(session(&mut harness).clock.playing);
    click(&mut harness, "Pause");
    assert!(!session(&mut harness).clock.playing);
    let before = session(&mut harness).trace().0;
    click(&mut harness, "Event");
    let after = session(&mut harness).trace().0;
    assert!(after > before && after < before + 10, "{before} {after}");
    let over = |harness: &mut Harness<'static, Panels>| session(harness).live_state.outcomes.ended();
    let before = over(&mut harness);
    click(&mut harness, "Request");
    assert_eq!(over(&mut harness), before + 1);
    let speed = session(&mut harness).clock.speed;
    click(&mut harness, "+");
    assert_eq!(session(&mut harness).clock.speed, speed + 1);
    click(&mut harness, "Restart");
    assert_eq!(session(&mut harness).trace().0, 0);
    click(&mut harness, "Play");
    assert!(session(&mut harness).clock.playing);
}

#[test]
fn it_stops_at_the_first_rejection_if_that_is_wanted() {
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
fn the_next_finding_is_a_click_away() {
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
fn two_variants_go_in_step_on_the_same_arrivals() {
    let mut harness = window();
    click(&mut harness, "Compare");
    click(&mut harness, "load_aware_routing_off.ron");
    for seconds in [14.0, 31.0, 2.5] {
        pause_at(&mut harness, seconds);
        let own = session(&mut harness);
        let (now, born) = (own.clock.now, own.live_state.outcomes.offered);
        let rival = harness.state().rival.as_ref().expect("it was chosen");
        assert_eq!((rival.clock.now, rival.live_state.outcomes.offered), (now, born), "at {seconds} s");
    }
    pause_at(&mut harness, 24.0);
    let failed = |session: &Session| session.live_state.outcomes.of(Outcome::Rejected);
    let own = failed(session(&mut harness));
    let rival = failed(harness.state().rival.as_ref().expect("it was chosen"));
    assert!(own < rival, "without smart routing more are rejected: {own} {rival}");
    harness.get_by_label("Play").click();
    harness.run_steps(30);
    let now = session(&mut harness).clock.now;
    assert!(now > moment(24.0));
    assert_eq!(harness.state().rival.as_ref().map(|rival| rival.clock.now), Some(now));
}

#[test]
fn the_log_is_filtered_and_leads_to_a_moment_and_its_request() {
    let mut harness = window();
    pause_at(&mut harness, 13.0);
    click(&mut harness, "Log");
    assert_eq!(harness.state().tab, Tab::Log);
    harness.state_mut().filter.kind = Some(Kind::Rejected);
    harness.run_steps(2);
    let filter = harness.state().filter;
    let entries = session(&mut harness).live_state.log.latest(&filter, 10);
    assert!(entries.len() > 2 && entries.iter().all(|entry| entry.kind() == Kind::Rejected));
    let wanted = entries[1];
    let start = format!("{:>11.6}  {:<6}", wanted.at.as_seconds(), wanted.key);
    harness.get_all_by_label_contains(&start).next().expect("it is a line of the log").click();
    harness.run_steps(2);
    assert_eq!(session(&mut harness).clock.now, wanted.at);
    assert_eq!(harness.state().view.request, Some(wanted.request));
}

#[test]
fn a_measure_is_pinned_to_its_box_and_let_go() {
    let mut harness = window();
    pause_at(&mut harness, 12.0);
    pick(&mut harness, "server-2");
    let label = |harness: &Harness<'static, Panels>| {
        let found = harness.get_all_by_label_contains("queue depth: ").next().expect("it is measured");
        found.click();
    };
    label(&harness);
    harness.run_steps(2);
    let at = harness.state().view.node.expect("it was clicked");
    assert_eq!(harness.state().view.pins, [(at, &QUEUE_DEPTH)]);
    label(&harness);
    harness.run_steps(2);
    assert!(harness.state().view.pins.is_empty());
}

#[test]
fn a_box_tells_what_its_node_has_come_to_and_offers_what_can_be_done_to_it() {
    let mut harness = window();
    let told = |harness: &Harness<'static, Panels>, what: &str| {
        let found = harness.query_all_by_label_contains(what).next();
        found.and_then(|node| node.accesskit_node().label().or_else(|| node.value()))
    };
    pause_at(&mut harness, 12.0);
    pick(&mut harness, "server-2");
    let (served, waiting) = {
        let server_state = server_state(session(&mut harness), "server-2");
        (server_state.in_service, server_state.line.len())
    };
    assert_eq!((served, told(&harness, "in service: ")), (10, Some("in service: 10 of 10".to_owned())));
    assert_eq!(told(&harness, "waiting: "), Some(format!("waiting: {waiting}")));
    for what in ["arrived: ", "served: ", "utilization: ", "mean wait: ", "Kill", "+ slot"] {
        assert!(told(&harness, what).is_some(), "{what} is not told of a server");
    }
    pick(&mut harness, "router");
    let routed = told(&harness, "routed: ").expect("it has sent some");
    assert!(["client-0 ", "client-1 ", "client-2 "].iter().all(|name| routed.contains(name)), "{routed}");
    assert_eq!((told(&harness, "in service"), told(&harness, "Kill")), (None, None));
    harness.key_press(Key::K);
    harness.run_steps(2);
    assert!(session(&mut harness).edits().is_empty(), "a load balancer cannot be killed");
    pick(&mut harness, "everyone");
    let offered = told(&harness, "offered: ").expect("it has created some");
    assert_eq!(told(&harness, "rejected: "), None, "of what did not happen nothing is told");
    click(&mut harness, "+ 25 %");
    assert_eq!(session(&mut harness).edits().len(), 1, "{}", harness.state().said);
    pause_at(&mut harness, 13.0);
    assert_ne!(told(&harness, "offered: "), Some(offered));
}

/// Types over a setting, and presses Enter.
fn type_over(harness: &mut Harness<'static, Panels>, setting: &str, text: &str) {
    let field = |harness: &Harness<'static, Panels>| {
        let field =
            harness.get_all_by_role(Role::TextInput).find(|node| node.value().as_deref() == Some(setting));
        field.expect("there is such a field").rect().center()
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
fn what_is_done_by_hand_is_kept_undone_and_saved() {
    let directory = tempfile::tempdir().expect("there is room");
    let mut harness = window();
    pause_at(&mut harness, 15.0);
    pick(&mut harness, "server-2");
    let dark = harness.state().theme.dark;
    type_over(&mut harness, "Concurrency(10)", "Concurrency(14)");
    assert_eq!(harness.state().theme.dark, dark, "who types does not press keys");
    assert_eq!(session(&mut harness).edits().len(), 1, "{}", harness.state().said);
    assert_eq!(server_state(session(&mut harness), "server-2").active_slots, 14);
    type_over(&mut harness, "Concurrency(14)", "Concurrency(0)");
    assert_eq!(session(&mut harness).edits().len(), 1, "what cannot be is not done");
    assert!(!harness.state().said.is_empty());
    click(&mut harness, "Kill");
    assert!(server_state(session(&mut harness), "server-2").is_down());
    harness.key_press(Key::K);
    harness.run_steps(2);
    assert!(!server_state(session(&mut harness), "server-2").is_down());
    assert_eq!(session(&mut harness).edits().len(), 3);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(2);
    assert!(server_state(session(&mut harness), "server-2").is_down());
    pick(&mut harness, "client-0");
    let client = place(&harness, "client-0");
    let routing = session(&mut harness).settings(&client);
    assert_eq!(routing.iter().map(Setting::name).collect::<Vec<_>>(), ["Routing"]);
    click(&mut harness, "Changes");
    let file = directory.path().join("mine.ron");
    harness.state_mut().file = file.display().to_string();
    click(&mut harness, "Save as");
    let text = std::fs::read(&file).unwrap_or_else(|_| panic!("{}", harness.state().said));
    let scenario = load("mine.ron", &text, &[]).unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
    let result = run(&scenario, RunOptions::default()).expect("it runs");
    let end = session(&mut harness).end();
    session(&mut harness).go_to(end);
    assert_eq!(session(&mut harness).trace(), (result.events, result.fingerprint));
    click(&mut harness, "Save as");
    assert!(directory.path().join("mine-2.ron").exists(), "what is there is not written over");
}

fn place(harness: &Harness<'static, Panels>, name: &str) -> crate::viz::layout::NodeBox {
    let session = harness.state().session.as_ref().expect("it is good");
    session.layout.places.iter().find(|place| place.name == name).expect("there is such a box").clone()
}

#[test]
fn the_story_of_another_scenario_is_told_and_it_opens() {
    let mut harness = window();
    let combo =
        harness.get_all_by_value("load_aware_routing.ron").next().expect("the scenario is chosen there");
    combo.click();
    harness.run_steps(2);
    click(&mut harness, "mm1.ron");
    assert_eq!(session(&mut harness).name, "mm1.ron");
    assert!(session(&mut harness).clock.playing);
}

#[test]
fn variants_that_are_different_systems_of_as_many_boxes_are_both_shown() {
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
        let names = |session: &Session| {
            session.layout.places.iter().map(|place| place.nodes.kind).collect::<Vec<_>>()
        };
        let rival = names(harness.state().rival.as_ref().expect("it is good"));
        assert_ne!(names(session(&mut harness)), rival);
    }
}

#[test]
fn a_box_is_dragged_and_what_is_seen_stays_until_all_is_wanted_again() {
    let mut harness = window();
    pause_at(&mut harness, 5.0);
    let found = |harness: &Harness<'static, Panels>| {
        let place = place(harness, "router");
        let (view, ground) = (&harness.state().view, harness.state().view.zoom);
        (place.x, place.y, view.middle, ground)
    };
    let before = found(&harness);
    // The router stands in the second of four layers, half way up the picture.
    let mut at = None;
    for x in (200..700).step_by(10) {
        harness.hover_at(pos2(x as f32, 400.0));
        harness.event(click_at(x as f32, true));
        harness.event(click_at(x as f32, false));
        harness.run_steps(2);
        let picked = harness.state().view.node;
        let places = &harness.state().session.as_ref().expect("it is good").layout.places;
        if picked.is_some_and(|picked| places[picked].name == "router") {
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
    let after = found(&harness);
    let moved = (40.0 / before.3, 60.0 / before.3);
    assert!(
        (after.0 - before.0 - moved.0).abs() < 2.0 && (after.1 - before.1 - moved.1).abs() < 2.0,
        "{after:?}"
    );
    assert_eq!((after.2, after.3.to_bits()), (before.2, before.3.to_bits()), "the rest of the picture stays");
    harness.key_press(Key::L);
    harness.run_steps(2);
    assert_eq!(found(&harness), before);
}

fn click_at(x: f32, pressed: bool) -> Event {
    let (pos, button) = (pos2(x, 400.0), PointerButton::Primary);
    Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE }
}
