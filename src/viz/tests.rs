//! The window without a window: panels and picture are laid out and painted by egui, with keys and clicks, and no GPU.

use bevy_egui::egui::{self, Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, vec2};

use super::panels::{HostRequest, Origin, Panels};
use super::session::{SPEEDS, moment, server_state};
use super::theme::BAD;
use crate::engine::time::{SimDuration, SimTime};
use crate::scenario::DEFAULT_SCENARIO;

/// A window that is painted into nothing.
struct Stand {
    context: egui::Context,
    window: Window,
}

impl Stand {
    fn open() -> Self {
        let (name, text) = DEFAULT_SCENARIO;
        let mut window = Window::open(Origin::of(name, text));
        if let Ok(session) = &mut window.session {
            session.background_run.wait(std::time::Duration::from_secs(60));
        }
        Self { context: egui::Context::default(), window }
    }

    /// A frame with these events; what it painted.
    fn frame(&mut self, events: Vec<Event>) -> Vec<egui::epaint::ClippedShape> {
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0));
        let input = RawInput { screen_rect: Some(screen), events, ..RawInput::default() };
        let window = &mut self.window;
        let mut output = self.context.run_ui(input, |ui| window.frame(ui, 1.0 / 60.0));
        output.textures_delta.clear();
        output.shapes
    }

    fn press(&mut self, key: Key) {
        let event = |pressed| Event::Key {
            key,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        self.frame(vec![event(true), event(false)]);
    }

    fn click(&mut self, at: Pos2) {
        let button = |pressed| Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        self.frame(vec![Event::PointerMoved(at)]);
        self.frame(vec![button(true)]);
        self.frame(vec![button(false)]);
    }

    /// Texts that a frame paints, with where they stand.
    fn texts(&mut self) -> Vec<(String, Pos2)> {
        let shapes = self.frame(Vec::new());
        let texts = shapes.into_iter().filter_map(|clipped| {
            let egui::Shape::Text(text) = clipped.shape else { return None };
            Some((text.galley.text().to_owned(), text.visual_bounding_rect().center()))
        });
        texts.collect()
    }

    fn session(&mut self) -> &mut super::session::Session {
        self.window.session.as_mut().expect("the scenario is good")
    }
}

#[test]
fn it_opens_playing_and_every_name_is_painted() {
    let mut stand = Stand::open();
    stand.frame(Vec::new());
    let texts: Vec<String> = stand.texts().into_iter().map(|(text, _)| text).collect();
    for name in ["everyone", "customer-1001", "router", "client-1", "server-2", "oscillation", "Pause"] {
        assert!(texts.iter().any(|text| text == name), "{name} is not among {texts:?}");
    }
    assert!(stand.session().clock.now > SimTime::ZERO);
}

#[test]
fn keys_play_pause_step_and_change_the_speed() {
    let mut stand = Stand::open();
    stand.press(Key::Space);
    assert!(!stand.session().clock.playing);
    let (events, _) = stand.session().trace();
    stand.press(Key::ArrowRight);
    assert!(stand.session().trace().0 > events);
    let speed = stand.session().clock.speed;
    stand.press(Key::ArrowUp);
    assert_eq!(stand.session().clock.speed, speed + 1);
    (0..30).for_each(|_| stand.press(Key::ArrowUp));
    assert_eq!(stand.session().clock.speed, SPEEDS.len() - 1);
    stand.press(Key::F);
    assert!(stand.session().live_state.outcomes.failed() == 1, "the first rejection");
    stand.press(Key::Home);
    assert_eq!(stand.session().clock.now, SimTime::ZERO);
    (0..10).for_each(|_| stand.press(Key::ArrowDown));
    stand.press(Key::Space);
    assert!(stand.session().clock.playing);
}

#[test]
fn a_click_on_a_box_tells_of_it_and_one_on_pause_stops() {
    let mut stand = Stand::open();
    stand.frame(Vec::new());
    let at = |stand: &mut Stand, name: &str| {
        stand.texts().into_iter().rfind(|(text, _)| text == name).expect("it is painted").1
    };
    let pause = at(&mut stand, "Pause");
    stand.click(pause);
    assert!(!stand.session().clock.playing);
    let server = at(&mut stand, "server-2");
    stand.click(server);
    let place = stand.window.view.node.expect("a box was clicked");
    assert_eq!(stand.session().layout.places[place].name, "server-2");
    assert!(stand.texts().iter().any(|(text, _)| text.starts_with("queue depth: ")));
}

#[test]
fn a_finding_leads_to_its_moment() {
    let mut stand = Stand::open();
    stand.frame(Vec::new());
    let found = stand.texts().into_iter().find(|(text, _)| text == "oscillation").expect("it is listed").1;
    stand.click(found);
    let from = stand.session().background_run.findings()[0].from.expect("it has a time");
    assert!((stand.session().clock.now.as_seconds() - from).abs() < 1e-6);
}

#[test]
fn every_moment_of_every_colouring_and_theme_can_be_painted() {
    let mut stand = Stand::open();
    for tenth in 0..130 {
        let moment = SimTime::ZERO + SimDuration::from_nanos(tenth * 500_000_000);
        stand.session().go_to(moment);
        if tenth % 13 == 0 {
            stand.press(Key::C);
            stand.press(Key::T);
        }
        assert!(stand.frame(Vec::new()).len() > 40);
    }
}

#[test]
fn a_broken_scenario_shows_its_mistakes() {
    let mut stand = Stand::open();
    stand.window = Window::open(Origin::of("broken.ron", "(name: 3)"));
    let texts = stand.texts();
    assert!(texts.iter().any(|(text, _)| text.contains("broken.ron:1")), "{texts:?}");
    // Keys that mean a session have none, and do no harm.
    stand.press(Key::Space);
    stand.press(Key::ArrowRight);
}

#[test]
fn nothing_is_painted_far_outside_of_the_screen() {
    let mut stand = Stand::open();
    stand.press(Key::Space);
    // At 15 s a slot has just been taken: its clock has an angle of next to nothing.
    for seconds in [12.0, 15.0, 20.0] {
        stand.session().go_to(moment(seconds));
        let shapes = stand.frame(Vec::new());
        let around = Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0)).expand(100.0);
        for clipped in stand.context.tessellate(shapes, 1.0) {
            let egui::epaint::Primitive::Mesh(mesh) = clipped.primitive else { continue };
            // The picture clips what is dragged out of it; what panels scroll lies below them.
            let strays =
                mesh.vertices.iter().filter(|vertex| !around.contains(vertex.pos) && vertex.pos.y < 0.0);
            assert_eq!(strays.count(), 0, "at {seconds} s");
        }
    }
}

/// How many wait at each server, and how many are served.
fn loads(session: &super::session::Session) -> [(usize, u32); 3] {
    ["server-0", "server-1", "server-2"].map(|name| {
        let server_state = server_state(session, name);
        (server_state.line.len(), server_state.in_service)
    })
}

#[test]
fn load_aware_routing_overloads_spreads_and_comes_back() {
    let mut stand = Stand::open();
    stand.press(Key::Space);
    let mut at = |seconds| {
        stand.session().go_to(moment(seconds));
        loads(stand.session())
    };
    // The hot key has all gone to its own server: the line is as long as that server can make it in two seconds.
    let overloaded = at(12.0);
    assert!(overloaded[2].0 > 80 && overloaded[..2].iter().all(|load| load.0 == 0), "{overloaded:?}");
    // Its clients have heard of that: all servers are about equally busy, and nobody waits for long.
    let spread = at(15.0);
    assert!(spread.iter().all(|load| load.0 < 10), "{spread:?}");
    assert!(spread.iter().all(|load| load.1 > spread[2].1 / 2), "{spread:?}");
    // They have forgotten it again and come back.
    let back = at(20.0);
    assert!(back[2].0 > 40 && back[..2].iter().all(|load| load.0 == 0), "{back:?}");
}

#[test]
fn keys_ask_for_pictures_and_films_and_a_red_dot_tells_of_one() {
    let mut stand = Stand::open();
    stand.press(Key::P);
    assert_eq!(stand.window.wish.take(), Some(HostRequest::Picture));
    stand.press(Key::R);
    assert_eq!(stand.window.wish.take(), Some(HostRequest::Recording));
    let dots = |stand: &mut Stand| -> Vec<Pos2> {
        let circles = stand.frame(Vec::new()).into_iter().filter_map(|clipped| {
            let egui::Shape::Circle(circle) = clipped.shape else { return None };
            (circle.fill == BAD && circle.radius > 5.0).then_some(circle.center)
        });
        circles.collect()
    };
    assert_eq!((dots(&mut stand).len(), stand.window.lamp), (0, None));
    stand.window.recording = true;
    let seen = dots(&mut stand);
    let lamp = stand.window.lamp.expect("it is known where the dot is");
    assert!(seen.len() == 1 && lamp.contains(seen[0]), "{seen:?} {lamp:?}");
}
