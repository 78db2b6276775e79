//! Tests of the panels and the picture with keys and clicks: egui lays out and paints them, without a window and a GPU.

use bevy_egui::egui::{self, Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, vec2};

use super::panels::{HostRequest, Origin, Panels};
use super::session::{SPEEDS, moment, server_state};
use super::theme::BAD;
use crate::engine::time::{SimDuration, SimTime};
use crate::scenario::DEFAULT_SCENARIO;

/// Panels whose frames are laid out but not displayed.
struct TestWindow {
    context: egui::Context,
    panels: Panels,
}

impl TestWindow {
    fn open() -> Self {
        let (name, text) = DEFAULT_SCENARIO;
        let mut panels = Panels::open(Origin::of(name, text));
        if let Ok(session) = &mut panels.session {
            session.background_run.wait(std::time::Duration::from_secs(60));
        }
        Self { context: egui::Context::default(), panels }
    }

    /// Runs a frame with input events, and returns the painted shapes.
    fn frame(&mut self, events: Vec<Event>) -> Vec<egui::epaint::ClippedShape> {
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0));
        let input = RawInput { screen_rect: Some(screen), events, ..RawInput::default() };
        let panels = &mut self.panels;
        let mut output = self.context.run_ui(input, |ui| panels.frame(ui, 1.0 / 60.0));
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

    /// The painted texts, with the centres of their positions.
    fn texts(&mut self) -> Vec<(String, Pos2)> {
        let shapes = self.frame(Vec::new());
        let texts = shapes.into_iter().filter_map(|clipped| {
            let egui::Shape::Text(text) = clipped.shape else { return None };
            Some((text.galley.text().to_owned(), text.visual_bounding_rect().center()))
        });
        texts.collect()
    }

    fn session(&mut self) -> &mut super::session::Session {
        self.panels.session.as_mut().expect("the scenario is valid")
    }
}

#[test]
fn the_window_opens_playing_and_paints_all_names() {
    let mut window = TestWindow::open();
    window.frame(Vec::new());
    let texts: Vec<String> = window.texts().into_iter().map(|(text, _)| text).collect();
    for name in ["everyone", "customer-1001", "router", "client-1", "server-2", "oscillation", "Pause"] {
        assert!(texts.iter().any(|text| text == name), "{name} is missing in {texts:?}");
    }
    assert!(window.session().clock.now > SimTime::ZERO);
}

#[test]
fn keys_play_pause_step_and_change_the_speed() {
    let mut window = TestWindow::open();
    window.press(Key::Space);
    assert!(!window.session().clock.playing);
    let (events, _) = window.session().digest();
    window.press(Key::ArrowRight);
    assert!(window.session().digest().0 > events);
    let speed = window.session().clock.speed;
    window.press(Key::ArrowUp);
    assert_eq!(window.session().clock.speed, speed + 1);
    (0..30).for_each(|_| window.press(Key::ArrowUp));
    assert_eq!(window.session().clock.speed, SPEEDS.len() - 1);
    window.press(Key::F);
    assert!(window.session().live_state.outcomes.failures() == 1, "the first rejection");
    window.press(Key::Home);
    assert_eq!(window.session().clock.now, SimTime::ZERO);
    (0..10).for_each(|_| window.press(Key::ArrowDown));
    window.press(Key::Space);
    assert!(window.session().clock.playing);
}

#[test]
fn a_click_selects_a_box_and_the_pause_button_pauses() {
    let mut window = TestWindow::open();
    window.frame(Vec::new());
    let at = |window: &mut TestWindow, name: &str| {
        window.texts().into_iter().rfind(|(text, _)| text == name).expect("the text is painted").1
    };
    let pause = at(&mut window, "Pause");
    window.click(pause);
    assert!(!window.session().clock.playing);
    let server = at(&mut window, "server-2");
    window.click(server);
    let selected = window.panels.camera.node.expect("a box is selected");
    assert_eq!(window.session().layout.boxes[selected].name, "server-2");
    assert!(window.texts().iter().any(|(text, _)| text.starts_with("queue depth: ")));
}

#[test]
fn a_click_on_a_finding_goes_to_its_start() {
    let mut window = TestWindow::open();
    window.frame(Vec::new());
    let at = window.texts().into_iter().find(|(text, _)| text == "oscillation").expect("it is listed").1;
    window.click(at);
    let from = window.session().background_run.findings()[0].from.expect("the finding has a start");
    assert!((window.session().clock.now.as_seconds() - from).abs() < 1e-6);
}

#[test]
fn all_times_colourings_and_themes_can_be_painted() {
    let mut window = TestWindow::open();
    for half_second in 0..130 {
        let time = SimTime::ZERO + SimDuration::from_nanos(half_second * 500_000_000);
        window.session().go_to(time);
        if half_second % 13 == 0 {
            window.press(Key::C);
            window.press(Key::T);
        }
        assert!(window.frame(Vec::new()).len() > 40);
    }
}

#[test]
fn an_invalid_scenario_shows_its_errors() {
    let mut window = TestWindow::open();
    window.panels = Panels::open(Origin::of("broken.ron", "(name: 3)"));
    let texts = window.texts();
    assert!(texts.iter().any(|(text, _)| text.contains("broken.ron:1")), "{texts:?}");
    // Without a session, its keys do nothing.
    window.press(Key::Space);
    window.press(Key::ArrowRight);
}

#[test]
fn nothing_is_painted_far_outside_the_screen() {
    let mut window = TestWindow::open();
    window.press(Key::Space);
    // At 15 s a service has just started: the angle of its sector is close to 0.
    for seconds in [12.0, 15.0, 20.0] {
        window.session().go_to(moment(seconds));
        let shapes = window.frame(Vec::new());
        let allowed = Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0)).expand(100.0);
        for clipped in window.context.tessellate(shapes, 1.0) {
            let egui::epaint::Primitive::Mesh(mesh) = clipped.primitive else { continue };
            // Only above the screen: panels scroll content beyond the lower edge, and the picture clips its own.
            let outside =
                mesh.vertices.iter().filter(|vertex| !allowed.contains(vertex.pos) && vertex.pos.y < 0.0);
            assert_eq!(outside.count(), 0, "at {seconds} s");
        }
    }
}

/// The numbers of requests waiting and in service, for each server.
fn server_loads(session: &super::session::Session) -> [(usize, u32); 3] {
    ["server-0", "server-1", "server-2"].map(|name| {
        let server_state = server_state(session, name);
        (server_state.queue.len(), server_state.in_service)
    })
}

#[test]
fn load_aware_routing_overloads_a_server_spreads_the_load_and_returns() {
    let mut window = TestWindow::open();
    window.press(Key::Space);
    let mut at = |seconds| {
        window.session().go_to(moment(seconds));
        server_loads(window.session())
    };
    // All requests with the hot key go to the server of the key: two seconds into the spike, its queue is long.
    let overloaded = at(12.0);
    assert!(overloaded[2].0 > 80 && overloaded[..2].iter().all(|load| load.0 == 0), "{overloaded:?}");
    // The clients have received load reports: all servers are about equally busy, and queues are short.
    let spread = at(15.0);
    assert!(spread.iter().all(|load| load.0 < 10), "{spread:?}");
    assert!(spread.iter().all(|load| load.1 > spread[2].1 / 2), "{spread:?}");
    // The reports have expired, and the clients send to the overloaded server again.
    let returned = at(20.0);
    assert!(returned[2].0 > 40 && returned[..2].iter().all(|load| load.0 == 0), "{returned:?}");
}

#[test]
fn keys_request_pictures_and_films_and_a_red_dot_marks_a_recording() {
    let mut window = TestWindow::open();
    window.press(Key::P);
    assert_eq!(window.panels.host_request.take(), Some(HostRequest::Picture));
    window.press(Key::R);
    assert_eq!(window.panels.host_request.take(), Some(HostRequest::Recording));
    let dots = |window: &mut TestWindow| -> Vec<Pos2> {
        let circles = window.frame(Vec::new()).into_iter().filter_map(|clipped| {
            let egui::Shape::Circle(circle) = clipped.shape else { return None };
            (circle.fill == BAD && circle.radius > 5.0).then_some(circle.center)
        });
        circles.collect()
    };
    assert_eq!((dots(&mut window).len(), window.panels.record_indicator), (0, None));
    window.panels.recording = true;
    let painted = dots(&mut window);
    let indicator = window.panels.record_indicator.expect("a recording has an indicator");
    assert!(painted.len() == 1 && indicator.contains(painted[0]), "{painted:?} {indicator:?}");
}
