//! The clock and its buttons, and which scenario is watched.

use bevy_egui::egui::{self, RichText, Ui};

use super::{Origin, Panels};
use crate::viz::session::{Session, moment};
use crate::viz::theme::Colouring;

/// The scenarios that the program brings along.
const SHIPPED: [(&str, &str); 5] = [
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
                .selected_text(format!("by {}", self.view.colouring.name()))
                .show_ui(ui, |ui| {
                    for colouring in Colouring::ALL {
                        ui.selectable_value(&mut self.view.colouring, colouring, colouring.name());
                    }
                });
            if ui
                .button("Save positions")
                .on_hover_text("where the boxes stand, beside the scenario")
                .clicked()
            {
                self.save_positions();
            }
            if ui.button("?").on_hover_text("the keys").clicked() {
                self.help = !self.help;
            }
            if !self.said.is_empty() {
                ui.label(RichText::new(self.said.as_str()).weak());
            }
        });
    }

    /// Which scenario is watched, and which other one beside it.
    fn scenarios(&mut self, ui: &mut Ui) {
        let own = self.origin.clone();
        let shipped = SHIPPED.iter().map(|(name, text)| Origin::of(name, text));
        let known: Vec<Origin> =
            std::iter::once(own).chain(shipped.filter(|origin| origin.name != self.origin.name)).collect();
        let (mut chosen, mut against) = (None, None);
        egui::ComboBox::from_id_salt("scenario")
            .selected_text(self.origin.name.as_str())
            .width(190.0)
            .show_ui(ui, |ui| {
                for origin in &known {
                    let is_shown = origin == &self.origin;
                    let label = ui.selectable_label(is_shown, origin.name.as_str());
                    if label.on_hover_text(story(&origin.bytes)).clicked() && !is_shown {
                        chosen = Some(origin.clone());
                    }
                }
            });
        let label = self.rival.as_ref().map_or("Compare", |rival| rival.name.as_str());
        ui.menu_button(label, |ui| {
            if self.rival.is_some() && ui.button("nothing beside it").clicked() {
                against = Some(None);
            }
            for origin in &known {
                if ui.button(origin.name.as_str()).on_hover_text(story(&origin.bytes)).clicked() {
                    against = Some(Some(origin.clone()));
                }
            }
        })
        .response
        .on_hover_text("another variant beside this one, in step");
        if let Some(origin) = chosen {
            *self = Self { theme: self.theme, plotted: self.plotted.clone(), ..Self::open(origin) };
        }
        if let Some(against) = against {
            self.compare(against.as_ref());
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
    if ui.button("Event").on_hover_text("one event: →").clicked() {
        session.step_event();
    }
    if ui.button("Request").on_hover_text("until one more is over: Shift →").clicked() {
        session.step_request();
    }
    ui.menu_button("Next", |ui| {
        if ui.button("rejection or loss").on_hover_text("F").clicked() {
            session.to_next_failure();
        }
        if ui.button("announced change or fault").on_hover_text("Shift F").clicked() {
            session.to_next_change();
        }
        if ui.button("finding").on_hover_text("N").clicked() {
            session.to_next_finding();
        }
    });
    if ui.button("−").on_hover_text("slower: ↓").clicked() {
        session.slower();
    }
    let speed = session.clock.rate();
    let behind = session.clock.playing && speed.is_finite() && session.clock.achieved < 0.7 * speed;
    let text = match (speed.is_finite(), behind) {
        (true, false) => format!("{speed}x"),
        (true, true) => format!("{speed}x, {:.1}x reached", session.clock.achieved),
        (false, _) => format!("fastest, {:.1}x reached", session.clock.achieved),
    };
    // What changes while one watches has room of its own: buttons must not run away from the mouse.
    let height = ui.spacing().interact_size.y;
    ui.add_sized([130.0, height], egui::Label::new(text)).on_hover_text("virtual seconds a real one");
    if ui.button("+").on_hover_text("faster: ↑").clicked() {
        session.faster();
    }
    let mut seconds = session.clock.now.as_seconds();
    let field = egui::DragValue::new(&mut seconds)
        .range(0.0..=session.end().as_seconds())
        .speed(0.05)
        .fixed_decimals(3)
        .suffix(" s");
    let field = ui.add_sized([100.0, height], field);
    if field.on_hover_text("the moment that is shown: drag it, or click and type another").changed() {
        session.go_to(moment(seconds));
    }
}

/// At what time stands still. How many such things there are is written on the button.
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
            ui.checkbox(&mut timed, "a moment");
            let field = egui::DragValue::new(&mut seconds)
                .range(0.0..=end)
                .speed(0.05)
                .fixed_decimals(3)
                .suffix(" s");
            timed |= ui.add(field).changed();
        });
        stops.moment = timed.then(|| moment(seconds));
        ui.checkbox(&mut stops.failure, "a rejection or loss");
        ui.checkbox(&mut stops.change, "an announced change or fault");
        ui.checkbox(&mut stops.finding, "a finding");
    })
    .response
    .on_hover_text("what makes time stand still while it is played");
}

/// The comment that a scenario opens with.
fn story(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim);
    lines.take(12).collect::<Vec<_>>().join("\n")
}
