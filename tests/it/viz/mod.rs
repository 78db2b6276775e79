//! End-to-end tests of the visualizer: pictures and films without a window (`offscreen`), the window (`window`), and
//! the benchmark (`bench`).

mod bench;
mod offscreen;
mod pixels;
mod window;

use bevy_egui::egui;
use rushhour::scenario::DEFAULT_SCENARIO;
use rushhour::viz::Origin;
use rushhour::viz::panels::Panels;

/// The centre of a text, in pixels, on a screen of this width and height that shows the built-in scenario.
fn position_of(label: &str, (width, height): (u16, u16)) -> (usize, usize) {
    let (name, text) = DEFAULT_SCENARIO;
    let mut panels = Panels::open(Origin::of(name, text));
    let context = egui::Context::default();
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width.into(), height.into()));
    let mut position = None;
    // The panels settle on their sizes within some frames.
    for _ in 0..4 {
        let input = egui::RawInput { screen_rect: Some(screen), ..egui::RawInput::default() };
        let mut output = context.run_ui(input, |ui| panels.frame(ui, 0.01));
        output.textures_delta.clear();
        position = output.shapes.into_iter().find_map(|clipped| {
            let egui::Shape::Text(text) = clipped.shape else { return None };
            let at = text.visual_bounding_rect().center();
            (text.galley.text() == label).then_some((at.x, at.y))
        });
    }
    let (x, y) = position.unwrap_or_else(|| panic!("{label} is not painted"));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the text is on the screen")]
    (x as usize, y as usize)
}
