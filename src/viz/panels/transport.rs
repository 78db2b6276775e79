//! The transport bar: the scenario, the clock and its buttons, and the status text.

use bevy_egui::egui::{self, RichText, Ui};

use super::{Origin, Panels};
use crate::viz::session::{Session, moment};
use crate::viz::theme::Colouring;

/// The scenarios built into the program.
const BUILT_IN: [(&str, &str); 5] = [
    ("load_aware_routing.ron", include_str!("../../../scenarios/load_aware_routing.ron")),
    ("load_aware_routing_off.ron", include_str!("../../../scenarios/load_aware_routing_off.ron")),
    ("mm1.ron", include_str!("../../../scenarios/mm1.ron")),
    ("mmc.ron", include_str!("../../../scenarios/mmc.ron")),
    ("fleet.ron", include_str!("../../../scenarios/fleet.ron")),
];

impl Panels {
    pub(super) fn transport(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            self.scenarios(ui);
            if let Ok(session) = &mut self.session {
                clock(ui, session);
                stops(ui, session);
            }
            egui::ComboBox::from_id_salt("colour")
                .selected_text(format!("colour: {}", self.camera.colouring.name()))
                .show_ui(ui, |ui| {
                    for colouring in Colouring::ALL {
                        ui.selectable_value(&mut self.camera.colouring, colouring, colouring.name());
                    }
                });
            if ui
                .button("Save positions")
                .on_hover_text("Save the positions of the boxes to a file next to the scenario")
                .clicked()
            {
                self.save_positions();
            }
            if ui.button("?").on_hover_text("Keyboard commands").clicked() {
                self.help = !self.help;
            }
            if !self.status.is_empty() {
                ui.label(RichText::new(self.status.as_str()).weak());
            }
        });
    }

    /// The lists to choose the scenario, and one to compare it with.
    fn scenarios(&mut self, ui: &mut Ui) {
        let own = self.origin.clone();
        let built_in = BUILT_IN.iter().map(|(name, text)| Origin::of(name, text));
        let origins: Vec<Origin> =
            std::iter::once(own).chain(built_in.filter(|origin| origin.name != self.origin.name)).collect();
        let (mut chosen, mut compare_with) = (None, None);
        egui::ComboBox::from_id_salt("scenario")
            .selected_text(self.origin.name.as_str())
            .width(190.0)
            .show_ui(ui, |ui| {
                for origin in &origins {
                    let is_shown = origin == &self.origin;
                    let label = ui.selectable_label(is_shown, origin.name.as_str());
                    if label.on_hover_text(header_comment(&origin.bytes)).clicked() && !is_shown {
                        chosen = Some(origin.clone());
                    }
                }
            });
        let label = self.compared.as_ref().map_or("Compare", |compared| compared.name.as_str());
        ui.menu_button(label, |ui| {
            if self.compared.is_some() && ui.button("no comparison").clicked() {
                compare_with = Some(None);
            }
            for origin in &origins {
                let button = ui.button(origin.name.as_str());
                if button.on_hover_text(header_comment(&origin.bytes)).clicked() {
                    compare_with = Some(Some(origin.clone()));
                }
            }
        })
        .response
        .on_hover_text("Show another scenario side by side, at the same simulated time");
        if let Some(origin) = chosen {
            *self = Self { theme: self.theme, plotted: self.plotted.clone(), ..Self::open(origin) };
        }
        if let Some(origin) = compare_with {
            self.compare(origin.as_ref());
        }
    }
}

fn clock(ui: &mut Ui, session: &mut Session) {
    let play = if session.clock.playing { "Pause" } else { "Play" };
    if ui.button(play).on_hover_text("Space").clicked() {
        session.toggle();
    }
    if ui.button("Restart").on_hover_text("Home").clicked() {
        session.restart();
    }
    if ui.button("Event").on_hover_text("Step one event (→)").clicked() {
        session.step_event();
    }
    if ui.button("Request").on_hover_text("Step until one more request ends (Shift →)").clicked() {
        session.step_request();
    }
    ui.menu_button("Next", |ui| {
        if ui.button("rejection or loss").on_hover_text("F").clicked() {
            session.to_next_failure();
        }
        if ui.button("scheduled change or fault").on_hover_text("Shift F").clicked() {
            session.to_next_change();
        }
        if ui.button("finding").on_hover_text("N").clicked() {
            session.to_next_finding();
        }
    });
    if ui.button("−").on_hover_text("Slower (↓)").clicked() {
        session.slower();
    }
    let speed = session.clock.rate();
    let behind = session.clock.playing && speed.is_finite() && session.clock.achieved < 0.7 * speed;
    let text = match (speed.is_finite(), behind) {
        (true, false) => format!("{speed}x"),
        (true, true) => format!("{speed}x, {:.1}x reached", session.clock.achieved),
        (false, _) => format!("fastest, {:.1}x reached", session.clock.achieved),
    };
    // A fixed size, so that the buttons do not move while the text changes.
    let height = ui.spacing().interact_size.y;
    ui.add_sized([130.0, height], egui::Label::new(text)).on_hover_text("Simulated seconds per real second");
    if ui.button("+").on_hover_text("Faster (↑)").clicked() {
        session.faster();
    }
    let mut seconds = session.clock.now.as_seconds();
    let field = egui::DragValue::new(&mut seconds)
        .range(0.0..=session.end().as_seconds())
        .speed(0.05)
        .fixed_decimals(3)
        .suffix(" s");
    let field = ui.add_sized([100.0, height], field);
    if field.on_hover_text("Time shown: drag to change it, or click and type").changed() {
        session.go_to(moment(seconds));
    }
}

/// The menu of conditions that pause playback. Its button shows how many are set.
fn stops(ui: &mut Ui, session: &mut Session) {
    let stops = &mut session.stops;
    let set = [stops.moment.is_some(), stops.failure, stops.change, stops.finding];
    let number = set.iter().filter(|set| **set).count();
    let label = if number == 0 { "Stop at".to_owned() } else { format!("Stop at ({number})") };
    let (end, now) = (session.end().as_seconds(), session.clock.now);
    let stops = &mut session.stops;
    ui.menu_button(label, |ui| {
        let mut timed = stops.moment.is_some();
        let mut seconds = stops.moment.unwrap_or(now).as_seconds();
        ui.horizontal(|ui| {
            ui.checkbox(&mut timed, "a time");
            let field = egui::DragValue::new(&mut seconds)
                .range(0.0..=end)
                .speed(0.05)
                .fixed_decimals(3)
                .suffix(" s");
            timed |= ui.add(field).changed();
        });
        stops.moment = timed.then(|| moment(seconds));
        ui.checkbox(&mut stops.failure, "a rejection or loss");
        ui.checkbox(&mut stops.change, "a scheduled change or fault");
        ui.checkbox(&mut stops.finding, "a finding");
    })
    .response
    .on_hover_text("Pause playback when one of these is reached");
}

/// The comment at the start of a scenario: at most 12 lines.
fn header_comment(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim);
    lines.take(12).collect::<Vec<_>>().join("\n")
}
