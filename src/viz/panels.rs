//! The panels around the picture: which scenario, the clock, what was found, what was clicked, and how things went.

use bevy_egui::egui::{
    self, Align2, Color32, CornerRadius, FontId, Key, Pos2, Rect, RichText, Sense, Stroke, Ui, pos2, vec2,
};

use super::picture::{self, View};
use super::session::{SPEEDS, Session};
use super::stage::Whereabouts;
use super::theme::{BAD, Colouring, GOOD, SERIES, Theme};
use crate::analysis::Standing;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::metrics::timeline::Subject;
use crate::report::figures::{count, time};
use crate::report::findings::text;

/// The scenarios that the program brings along.
const SHIPPED: [(&str, &str); 5] = [
    ("load_aware_routing.ron", include_str!("../../scenarios/load_aware_routing.ron")),
    ("load_aware_routing_off.ron", include_str!("../../scenarios/load_aware_routing_off.ron")),
    ("mm1.ron", include_str!("../../scenarios/mm1.ron")),
    ("mmc.ron", include_str!("../../scenarios/mmc.ron")),
    ("fleet.ron", include_str!("../../scenarios/fleet.ron")),
];
/// Lines of a plot at most.
const MOST_LINES: usize = 7;
/// A step back.
const BACK: f64 = 5.0;

/// The keys, with what they do.
const KEYS: [(&str, &str); 12] = [
    ("Space", "play or pause"),
    ("→", "one event"),
    ("Shift →", "until one more request is over"),
    ("F", "until the next request is rejected or lost"),
    ("←", "five seconds back"),
    ("Home", "from the start"),
    ("↑ ↓", "faster, slower"),
    ("C", "colour by source, key, age, outcome"),
    ("0", "show everything"),
    ("T", "dark or light"),
    ("Esc", "nothing is picked"),
    ("?", "these keys"),
];

/// Everything that the window shows.
pub struct Window {
    /// The session, or why there is none.
    pub session: Result<Session, String>,
    /// What the picture looks at.
    pub view: View,
    /// The theme.
    pub theme: Theme,
    /// Whether the keys are shown.
    pub help: bool,
    /// The measure that is plotted.
    pub plotted: &'static str,
    source: (String, Vec<u8>, Vec<String>, Option<u64>),
}

impl Window {
    /// A window on a scenario.
    #[must_use]
    pub fn open(name: &str, bytes: &[u8], overrides: &[String], seed: Option<u64>) -> Self {
        Self {
            session: Session::open(name, bytes, overrides, seed),
            view: View::default(),
            theme: Theme::DARK,
            help: false,
            plotted: crate::model::server::QUEUE_DEPTH,
            source: (name.to_owned(), bytes.to_vec(), overrides.to_vec(), seed),
        }
    }

    /// Lets time go on and shows everything.
    pub fn frame(&mut self, ui: &mut Ui, real_seconds: f64) {
        ui.ctx().set_visuals(self.theme.visuals());
        self.keys(ui);
        if let Ok(session) = &mut self.session {
            session.frame(real_seconds);
        }
        egui::Panel::top("transport").show(ui, |ui| self.transport(ui));
        egui::Panel::right("facts").resizable(true).default_size(330.0).show(ui, |ui| self.facts(ui));
        egui::Panel::bottom("timeline").show(ui, |ui| self.timeline(ui));
        match &mut self.session {
            Ok(session) => picture::show(ui, session, &mut self.view, &self.theme),
            Err(wrong) => {
                ui.add_space(24.0);
                ui.heading("This scenario cannot be run");
                ui.label(RichText::new(wrong.as_str()).monospace());
            }
        }
        if self.help {
            self.show_keys(ui);
        }
    }

    fn keys(&mut self, ui: &Ui) {
        let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
        let shift = ui.input(|input| input.modifiers.shift);
        let asked = ui.input(|input| {
            input.events.iter().any(|event| matches!(event, egui::Event::Text(text) if text == "?"))
        });
        if asked {
            self.help = !self.help;
        }
        if pressed(Key::T) {
            self.theme = if self.theme.dark { Theme::LIGHT } else { Theme::DARK };
        }
        if pressed(Key::Num0) {
            self.view.zoom = 0.0;
        }
        if pressed(Key::C) {
            let all = Colouring::ALL;
            let at = all.iter().position(|(colouring, _)| *colouring == self.view.colouring).unwrap_or(0);
            self.view.colouring = all[(at + 1) % all.len()].0;
        }
        if pressed(Key::Escape) {
            (self.view.node, self.view.request, self.view.highlight, self.help) = (None, None, None, false);
        }
        let Ok(session) = &mut self.session else { return };
        if pressed(Key::Space) {
            session.toggle();
        }
        if pressed(Key::ArrowRight) {
            if shift { session.step_request() } else { session.step_event() }
        }
        if pressed(Key::ArrowLeft) {
            session.go_to(back(session.clock.now));
        }
        if pressed(Key::F) {
            session.to_next_failure();
        }
        if pressed(Key::Home) {
            session.restart();
        }
        if pressed(Key::ArrowUp) {
            session.clock.speed = (session.clock.speed + 1).min(SPEEDS.len() - 1);
        }
        if pressed(Key::ArrowDown) {
            session.clock.speed = session.clock.speed.saturating_sub(1);
        }
    }

    fn transport(&mut self, ui: &mut Ui) {
        let mut chosen = None;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            egui::ComboBox::from_id_salt("scenario")
                .selected_text(self.source.0.as_str())
                .width(190.0)
                .show_ui(ui, |ui| {
                    for (name, text) in SHIPPED {
                        if ui
                            .selectable_label(self.source.0 == name, name)
                            .on_hover_text(story(text))
                            .clicked()
                        {
                            chosen = Some((name, text));
                        }
                    }
                });
            if let Ok(session) = &mut self.session {
                let play = if session.clock.playing { "Pause" } else { "Play" };
                if ui.button(play).on_hover_text("Space").clicked() {
                    session.toggle();
                }
                if ui.button("Restart").on_hover_text("Home").clicked() {
                    session.restart();
                }
                if ui.button("Event").on_hover_text("one event: →").clicked() {
                    session.step_event();
                }
                if ui.button("Request").on_hover_text("until one more is over: Shift →").clicked() {
                    session.step_request();
                }
                if ui.button("Failure").on_hover_text("until the next one: F").clicked() {
                    session.to_next_failure();
                }
                if ui.button("−").on_hover_text("slower: ↓").clicked() {
                    session.clock.speed = session.clock.speed.saturating_sub(1);
                }
                let speed = session.clock.rate();
                ui.label(if speed.is_finite() {
                    format!("{speed}x")
                } else {
                    "as fast as it goes".to_owned()
                });
                if ui.button("+").on_hover_text("faster: ↑").clicked() {
                    session.clock.speed = (session.clock.speed + 1).min(SPEEDS.len() - 1);
                }
                let now = format!("{:.3} s", session.clock.now.as_seconds());
                ui.label(RichText::new(now).monospace().strong());
                let behind =
                    session.clock.playing && speed.is_finite() && session.clock.achieved < 0.7 * speed;
                if behind || !speed.is_finite() {
                    ui.label(RichText::new(format!("{:.1}x reached", session.clock.achieved)).weak());
                }
            }
            for (colouring, name) in Colouring::ALL {
                ui.selectable_value(&mut self.view.colouring, colouring, name);
            }
            if ui.button("?").clicked() {
                self.help = !self.help;
            }
        });
        if let Some((name, text)) = chosen {
            *self = Self { theme: self.theme, ..Self::open(name, text.as_bytes(), &[], None) };
        }
    }

    fn facts(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        egui::ScrollArea::vertical().show(ui, |ui| {
            ui.heading(session.scenario.name.as_str());
            counts(ui, session);
            ui.separator();
            inspector(ui, session, &mut self.view);
            ui.separator();
            ui.strong("Findings");
            let mut wanted = None;
            for finding in &session.findings {
                let colour = match finding.kind().standing() {
                    Standing::Trouble => BAD,
                    Standing::Context => self.theme.faint,
                    Standing::Good => GOOD,
                };
                let title = finding.kind().name().replace('_', " ");
                let link =
                    ui.link(RichText::new(title).color(colour).strong()).on_hover_text("show that moment");
                if link.clicked() {
                    wanted = finding.from;
                }
                ui.label(text(finding));
                ui.add_space(6.0);
            }
            if let Some(seconds) = wanted {
                session.clock.playing = false;
                session.go_to(moment(seconds));
            }
        });
    }

    fn timeline(&mut self, ui: &mut Ui) {
        let Ok(session) = &mut self.session else { return };
        let mut measures: Vec<&'static str> = Vec::new();
        for course in &session.result.timeline.courses {
            if !measures.contains(&course.measure.name) {
                measures.push(course.measure.name);
            }
        }
        let mut lines = Vec::new();
        ui.horizontal(|ui| {
            egui::ComboBox::from_id_salt("measure").selected_text(self.plotted.replace('_', " ")).show_ui(
                ui,
                |ui| {
                    for measure in measures {
                        ui.selectable_value(&mut self.plotted, measure, measure.replace('_', " "));
                    }
                },
            );
            lines = courses(session, self.plotted);
            legend(ui, &lines);
        });
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), 92.0), Sense::click_and_drag());
        plot(ui, rect, session, &lines, &self.theme);
        if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged())
        {
            let share = f64::from(((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0));
            session.go_to(moment(share * session.end().as_seconds()));
        }
    }

    fn show_keys(&mut self, ui: &Ui) {
        egui::Window::new("Keys").collapsible(false).anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0)).show(
            ui.ctx(),
            |ui| {
                egui::Grid::new("keys").num_columns(2).spacing(vec2(24.0, 4.0)).show(ui, |ui| {
                    for (key, does) in KEYS {
                        ui.monospace(key);
                        ui.label(does);
                        ui.end_row();
                    }
                });
            },
        );
    }
}

fn moment(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64((seconds * 1e9).max(0.0))
}

fn back(now: SimTime) -> SimTime {
    moment((now.as_seconds() - BACK).max(0.0))
}

/// The first paragraph of the comment that a scenario opens with.
fn story(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim);
    lines.take(6).collect::<Vec<_>>().join("\n")
}

/// What has become of requests up to now.
fn counts(ui: &mut Ui, session: &Session) {
    let stage = &session.stage;
    let failed: u64 = stage.ended[1..].iter().sum();
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{} offered", count(stage.born)));
        ui.label(RichText::new(format!("{} completed", count(stage.ended[0]))).color(GOOD));
        ui.label(RichText::new(format!("{} failed", count(failed))).color(BAD));
        ui.label(format!("{} under way", count(stage.under_way as u64)));
    });
}

/// What is known of the box or request that was clicked.
fn inspector(ui: &mut Ui, session: &Session, view: &mut View) {
    if let Some(traveller) = view.request.and_then(|row| session.stage.traveller(row)) {
        let now = session.clock.now;
        ui.strong(format!("Request of key {}", traveller.key));
        ui.label(format!("under way for {}", time(Some(now.since(traveller.born).as_seconds()))));
        ui.label(match traveller.whereabouts {
            Whereabouts::At(_) => "at a node".to_owned(),
            Whereabouts::Between { home: false, .. } => "on its way".to_owned(),
            Whereabouts::Between { home: true, .. } => "its response is on its way".to_owned(),
            Whereabouts::Waiting(_) => "waiting".to_owned(),
            Whereabouts::Served { done, .. } => format!("served until {:.3} s", done.as_seconds()),
        });
        for (at, node) in &traveller.journey {
            let name = session.layout.find(*node).map_or("", |at| session.layout.places[at].name.as_str());
            ui.label(RichText::new(format!("{:>10.3} s  {name}", at.as_seconds())).monospace());
        }
        let mut highlighted = view.highlight == Some(traveller.key);
        if ui.checkbox(&mut highlighted, "this key stands out").changed() {
            view.highlight = highlighted.then_some(traveller.key);
        }
    } else if let Some(place) = view.node.and_then(|at| session.layout.places.get(at)) {
        ui.strong(place.name.as_str());
        ui.label(place.kind.name());
        let now = session.clock.now.as_seconds() / session.result.timeline.slice.as_seconds().max(1e-12);
        let slice = crate::engine::whole(now);
        for (at, course) in session.result.timeline.courses.iter().enumerate() {
            if matches!(course.subject, Subject::Node(node) if session.layout.find(node) == view.node)
                && place.members == 1
            {
                let value = session.result.timeline.course(at).nth(slice);
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    ui.label(format!("{}: {value:.2}", course.measure.name.replace('_', " ")));
                }
            }
        }
    } else {
        ui.label(RichText::new("Click a box or a dot to see what it is.").weak());
    }
}

/// The courses of a measure that are drawn: those that reach highest.
fn courses(session: &Session, measure: &str) -> Vec<(String, Vec<f32>)> {
    let timeline = &session.result.timeline;
    let mut found: Vec<(String, Vec<f32>)> = timeline
        .courses
        .iter()
        .enumerate()
        .filter(|(_, course)| course.measure.name == measure)
        .map(|(at, course)| (name(session, course.subject), timeline.course(at).collect()))
        .collect();
    if found.len() > MOST_LINES {
        found.sort_by(|a, b| peak(&b.1).total_cmp(&peak(&a.1)));
        found.truncate(MOST_LINES);
    }
    found
}

fn name(session: &Session, subject: Subject) -> String {
    let node = match subject {
        Subject::Node(node) => node,
        Subject::Belief { server, .. } => Node::Server(server),
        Subject::Link(row) => return session.result.links[row as usize].name.clone(),
    };
    session.layout.find(node).map_or_else(String::new, |at| session.layout.places[at].name.clone())
}

fn peak(values: &[f32]) -> f32 {
    values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f32::max)
}

fn legend(ui: &mut Ui, lines: &[(String, Vec<f32>)]) {
    for (number, (name, values)) in lines.iter().enumerate() {
        ui.label(RichText::new(name.as_str()).color(SERIES[number % SERIES.len()]));
        ui.label(RichText::new(format!("max {:.1}", peak(values))).weak());
    }
}

fn plot(ui: &Ui, rect: Rect, session: &Session, lines: &[(String, Vec<f32>)], theme: &Theme) {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(4), theme.ground);
    let end = session.end().as_seconds().max(1e-9);
    let x = |seconds: f64| rect.left() + rect.width() * picture::single(seconds / end);
    for phase in session.phases.iter().filter_map(|phase| phase.to.map(|to| (phase, to))) {
        let span = Rect::from_min_max(pos2(x(phase.0.from), rect.top()), pos2(x(phase.1), rect.bottom()));
        painter.rect_filled(span, CornerRadius::ZERO, SERIES[1].gamma_multiply(0.12));
        let label = format!("{}: {}", phase.0.of, phase.0.text);
        painter.text(
            span.left_top() + vec2(4.0, 2.0),
            Align2::LEFT_TOP,
            label,
            FontId::proportional(10.0),
            theme.faint,
        );
    }
    let top = lines.iter().map(|(_, values)| peak(values)).fold(0.0, f32::max).max(1e-9);
    for (number, (_, values)) in lines.iter().enumerate() {
        line(&painter, rect, values, top, SERIES[number % SERIES.len()]);
    }
    for finding in &session.findings {
        if let (Some(from), Standing::Trouble) = (finding.from, finding.kind().standing()) {
            let at = pos2(x(from), rect.bottom() - 3.0);
            painter.circle_filled(at, 2.5, BAD);
        }
    }
    let now = x(session.clock.now.as_seconds());
    painter.line_segment([pos2(now, rect.top()), pos2(now, rect.bottom())], Stroke::new(1.5, theme.ink));
}

/// A course with as many points as there is room for: of what falls together the largest.
fn line(painter: &egui::Painter, rect: Rect, values: &[f32], top: f32, colour: Color32) {
    let points = values.len().min(crate::engine::whole(f64::from(rect.width())).max(2));
    let place = |point: usize| -> Pos2 {
        let bin = &values[point * values.len() / points..((point + 1) * values.len() / points).max(1)];
        let x = rect.left() + rect.width() * (point as f32 + 0.5) / points as f32;
        pos2(x, rect.bottom() - 4.0 - (rect.height() - 10.0) * peak(bin) / top)
    };
    painter.line((0..points).map(place).collect(), Stroke::new(1.4, colour));
}
