//! The tab with the log: filtered, the latest events first. A click on a line goes to its time and selects its request.

use bevy_egui::egui::{self, RichText, Ui};

use crate::request::Outcome;
use crate::viz::log::{Filter, LogKind};
use crate::viz::picture::Camera;
use crate::viz::session::Session;

/// Maximum number of lines shown.
const MAX_LINES: usize = 2_000;

pub(super) fn show(ui: &mut Ui, session: &mut Session, camera: &mut Camera, filter: &mut Filter) {
    ui.horizontal_wrapped(|ui| {
        let kinds = LogKind::ALL.map(|(kind, name)| (Some(kind), name));
        choice(ui, "kind", &mut filter.kind, std::iter::once((None, "any kind")).chain(kinds));
        let outcomes = Outcome::ALL.map(|outcome| (Some(outcome), outcome.name()));
        choice(ui, "outcome", &mut filter.outcome, std::iter::once((None, "any outcome")).chain(outcomes));
        let mut one_key = filter.key.is_some();
        let mut key = filter.key.or(camera.highlight).unwrap_or(0);
        ui.checkbox(&mut one_key, "key");
        one_key |= ui.add(egui::DragValue::new(&mut key)).changed();
        filter.key = one_key.then_some(key);
        let place = camera.node.and_then(|at| session.layout.boxes.get(at));
        let nodes = place.map(|place| place.nodes);
        let mut one_node = filter.nodes.is_some();
        let label = place.map_or("selected box", |place| place.name.as_str());
        ui.add_enabled(one_node || nodes.is_some(), egui::Checkbox::new(&mut one_node, label));
        filter.nodes = if one_node { nodes.or(filter.nodes) } else { None };
    });
    let entries = session.live_state.log.latest(filter, MAX_LINES);
    if entries.is_empty() {
        ui.label(RichText::new("No matching events yet.").weak());
    }
    let height = ui.text_style_height(&egui::TextStyle::Monospace);
    let mut clicked = None;
    egui::ScrollArea::vertical().id_salt("log").auto_shrink(false).show_rows(
        ui,
        height,
        entries.len(),
        |ui, rows| {
            for entry in &entries[rows] {
                let text = entry.describe(&session.name_of(entry.node), session.names.resources(entry.node));
                let line = format!("{:>11.6}  {:<6} {text}", entry.at.as_seconds(), entry.key);
                let label = egui::Label::new(RichText::new(line).monospace().size(11.0))
                    .truncate()
                    .sense(egui::Sense::click());
                if ui.add(label).on_hover_text("Go to this time and select the request").clicked() {
                    clicked = Some((entry.at, entry.request));
                }
            }
        },
    );
    if let Some((at, request)) = clicked {
        session.clock.playing = false;
        session.go_to(at);
        camera.request = Some(request);
    }
}

/// A drop-down list of values with their names.
fn choice<T: PartialEq + Copy>(
    ui: &mut Ui,
    id: &str,
    selected: &mut T,
    options: impl Iterator<Item = (T, &'static str)> + Clone,
) {
    let name = options.clone().find(|(value, _)| value == selected).map_or("", |(_, name)| name);
    egui::ComboBox::from_id_salt(id).selected_text(name.replace('_', " ")).width(90.0).show_ui(ui, |ui| {
        for (value, name) in options {
            ui.selectable_value(selected, value, name.replace('_', " "));
        }
    });
}
