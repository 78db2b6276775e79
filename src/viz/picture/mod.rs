//! The picture of a moment: boxes, links, and a dot for every request, where it is at that moment.
//!
//! It is painted by egui in one pass, and decides nothing: what is where is in [`live_state`](super::live_state), where boxes stand
//! in [`layout`](super::layout). So it can be painted without a window, and tested without a GPU.

mod dots;
mod gpu;
mod pick;
mod pins;
mod server_state;

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, vec2,
};

use super::layout::{Layout, NODE, NodeBox};
use super::session::Session;
use super::theme::{BAD, Colouring, Theme};
use crate::analysis::Severity;
use crate::event::RequestRow;
use crate::model::metric::Metric;

pub use dots::{Dot, Dots};
pub use gpu::DotsPlugin;

/// What the picture looks at, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Camera {
    /// Screen points a unit of the layout; 0 until it was fitted.
    pub zoom: f32,
    /// The point of the layout in the middle of the picture.
    pub middle: (f32, f32),
    /// How requests are coloured.
    pub colouring: Colouring,
    /// The key that stands out, if one does.
    pub highlight: Option<u32>,
    /// The box that was clicked.
    pub node: Option<usize>,
    /// The request that was clicked.
    pub request: Option<RequestRow>,
    /// The plots that are pinned to boxes: the box, and the metric.
    pub pins: Vec<(usize, &'static Metric)>,
    /// Whether somebody has moved or zoomed the picture.
    by_hand: bool,
    /// The box that is being dragged.
    dragged: Option<usize>,
}

/// A number as screens have it.
#[expect(clippy::cast_possible_truncation, reason = "a screen has some thousand points")]
pub(super) const fn single(number: f64) -> f32 {
    number as f32
}

/// Below this zoom texts would be too small to be read, and are left out.
const READABLE: f32 = 0.35;

/// The picture while it is painted.
struct Canvas<'a> {
    painter: Painter,
    /// Which of the panes: 0, or 1 for the one on the right.
    pane: usize,
    rect: Rect,
    session: &'a Session,
    view: &'a Camera,
    theme: &'a Theme,
}

/// Paints a session, and lets the mouse move, zoom and pick.
pub fn show(ui: &mut Ui, session: &mut Session, view: &mut Camera, theme: &Theme) {
    let rect = ui.available_rect_before_wrap();
    pane(ui, 0, rect, session, view, theme);
}

/// Paints two sessions side by side; what is clicked is told of the first.
pub fn show_both(ui: &mut Ui, sessions: [&mut Session; 2], view: &mut Camera, theme: &Theme) {
    let whole = ui.available_rect_before_wrap();
    let (left, right) = whole.split_left_right_at_fraction(0.5);
    let [first, second] = sessions;
    pane(ui, 0, left, first, view, theme);
    // What was clicked and pinned is on the left; the same box is marked on the right where there is the same system.
    let same = first.layout.is_alike(&second.layout);
    let mut beside = Camera { request: None, node: view.node.filter(|_| same), ..view.clone() };
    if same {
        second.layout.places.clone_from(&first.layout.places);
    } else {
        fit(&mut beside, &second.layout, right.size());
        beside.pins.clear();
    }
    pane(ui, 1, right, second, &mut beside, theme);
    if same {
        (view.zoom, view.middle, view.node) = (beside.zoom, beside.middle, beside.node);
        (view.by_hand, view.dragged) = (beside.by_hand, beside.dragged);
        first.layout.places.clone_from(&second.layout.places);
    }
    ui.painter().vline(whole.center().x, whole.y_range(), Stroke::new(1.0, theme.edge));
    for (rect, session) in [(left, first), (right, second)] {
        let at = rect.left_top() + vec2(10.0, 8.0);
        ui.painter().text(at, Align2::LEFT_TOP, &session.name, FontId::proportional(13.0), theme.faint);
    }
}

/// Paints a session into a part of the screen.
fn pane(ui: &mut Ui, number: usize, rect: Rect, session: &mut Session, view: &mut Camera, theme: &Theme) {
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::ZERO, theme.ground);
    // All of it is shown, however panels and window change, until somebody wants to see another part.
    view.by_hand &= view.zoom > 0.0;
    if !view.by_hand {
        fit(view, &session.layout, rect.size());
    }
    let mouse = response.interact_pointer_pos();
    let canvas = Canvas { painter, pane: number, rect, session, view, theme };
    if response.drag_started() {
        // Where the button went down, not where the mouse was when it was clear that this is no click.
        let from = ui.input(|input| input.pointer.press_origin()).or(mouse);
        let dragged = from.and_then(|at| canvas.node_at(at));
        (view.dragged, view.by_hand) = (dragged, true);
    }
    if response.dragged() {
        let moved = response.drag_delta() / view.zoom;
        match view.dragged.and_then(|at| session.layout.places.get_mut(at)) {
            Some(place) => (place.x, place.y) = (place.x + moved.x, place.y - moved.y),
            None => view.middle = (view.middle.0 - moved.x, view.middle.1 + moved.y),
        }
    }
    let wheel = ui.input(|input| input.smooth_scroll_delta().y);
    if response.hovered() && wheel.abs() > 0.0 {
        zoom(view, rect, ui.input(|input| input.pointer.hover_pos()), (wheel * 0.002).exp2());
    }
    if let Some(at) = mouse.filter(|_| response.clicked()) {
        let canvas = Canvas { painter: ui.painter_at(rect), pane: number, rect, session, view, theme };
        let picked = canvas.pick(at);
        (view.node, view.request) = picked;
    }
    let canvas = Canvas { painter: ui.painter_at(rect), pane: number, rect, session, view, theme };
    canvas.paint();
    // What is too small to be read is told where the mouse is.
    let pointed = response.hover_pos().filter(|_| view.zoom <= READABLE).and_then(|at| canvas.node_at(at));
    if let Some(place) = pointed.map(|at| &session.layout.places[at]) {
        response.on_hover_text_at_pointer(place.name.as_str());
    }
}

/// Zooms by a factor; what is under the mouse stays there.
fn zoom(view: &mut Camera, rect: Rect, mouse: Option<Pos2>, factor: f32) {
    view.by_hand = true;
    let before = view.zoom;
    view.zoom = (view.zoom * factor).clamp(0.02, 8.0);
    if let Some(mouse) = mouse {
        let away = mouse - rect.center();
        let change = 1.0 / before - 1.0 / view.zoom;
        view.middle = (view.middle.0 + away.x * change, view.middle.1 - away.y * change);
    }
}

/// Shows the whole system.
pub fn fit(view: &mut Camera, layout: &Layout, size: Vec2) {
    let [left, low, right, high] = layout.bounds();
    // Names stand out over boxes, lines hang below them.
    let (width, height) = (right - left + 60.0, high - low + 90.0);
    view.zoom = (size.x / width).min(size.y / height).clamp(0.02, 1.6);
    view.middle = (f32::midpoint(left, right), f32::midpoint(low, high));
}

impl Canvas<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        let zoom = self.view.zoom;
        self.rect.center() + vec2((x - self.view.middle.0) * zoom, (self.view.middle.1 - y) * zoom)
    }

    fn plate(&self, place: &Place) -> Rect {
        Rect::from_center_size(self.at(place.x, place.y), vec2(NODE.0, NODE.1) * self.view.zoom)
    }

    fn paint(&self) {
        self.links();
        let layout = &self.session.layout;
        layout.places.iter().enumerate().for_each(|(at, place)| self.node(at, place));
        self.dots();
        self.pins();
    }

    fn links(&self) {
        let layout = &self.session.layout;
        for &(from, to) in &layout.edges {
            let (from, to) = (self.plate(&layout.places[from]), self.plate(&layout.places[to]));
            let stroke = Stroke::new(1.5 * self.view.zoom.max(0.5), self.theme.link);
            self.painter.line_segment([from.right_center(), to.left_center()], stroke);
        }
    }

    fn node(&self, at: usize, place: &Place) {
        let (rect, zoom) = (self.plate(place), self.view.zoom);
        let troubles = self.troubles(place);
        let edge = match (self.view.node == Some(at), troubles.is_empty()) {
            (true, _) => Stroke::new(2.5, self.theme.ink),
            (false, false) => Stroke::new(2.0, BAD),
            (false, true) => Stroke::new(1.0, self.theme.edge),
        };
        let corner = CornerRadius::same(if place.nodes.kind.receives() { 7 } else { 30 });
        self.painter.rect(rect, corner, self.theme.plate, edge, StrokeKind::Middle);
        if let Some(server_state) = self.session.live_state.server_state(place.node()) {
            self.text(rect.center_top() + vec2(0.0, 11.0 * zoom), &place.name, 13.0, self.theme.ink);
            if place.is_folded() {
                self.folded(rect, place.nodes)
            } else {
                self.server_state(rect, server_state)
            }
        } else {
            self.text(rect.center() - vec2(0.0, 6.0 * zoom), &place.name, 13.0, self.theme.ink);
            let what = place.nodes.kind.name();
            self.text(rect.center() + vec2(0.0, 11.0 * zoom), what, 10.5, self.theme.faint);
        }
        self.badge(rect, &troubles);
    }

    /// What was found wrong with a node at this moment.
    fn troubles(&self, place: &Place) -> Vec<&'static str> {
        let now = self.session.clock.now.as_seconds();
        let findings = self.session.background_run.findings().iter().filter(|finding| {
            finding.kind().severity() == Severity::Trouble
                && finding.subject == place.name
                && finding.from.is_none_or(|from| from <= now)
                && finding.to.is_none_or(|to| now <= to)
        });
        findings.map(|finding| finding.kind().name()).collect()
    }

    /// What was found wrong, in a badge above a box.
    fn badge(&self, rect: Rect, troubles: &[&str]) {
        let Some(first) = troubles.first().filter(|_| self.view.zoom > READABLE) else { return };
        let more = if troubles.len() > 1 { format!(" +{}", troubles.len() - 1) } else { String::new() };
        let text = format!("{}{more}", first.replace('_', " "));
        let font = FontId::proportional((9.5 * self.view.zoom).clamp(7.0, 22.0));
        let galley = self.painter.layout_no_wrap(text, font, Color32::WHITE);
        let size = galley.size() + vec2(10.0, 2.0) * self.view.zoom;
        let pill = Rect::from_min_size(rect.right_top() - vec2(size.x, size.y + 3.0 * self.view.zoom), size);
        self.painter.rect_filled(pill, CornerRadius::same(8), BAD);
        self.painter.galley(pill.center() - galley.size() / 2.0, galley, Color32::WHITE);
    }

    fn text(&self, at: Pos2, text: &str, size: f32, colour: Color32) {
        let font = FontId::proportional((size * self.view.zoom).clamp(7.0, 30.0));
        // At any zoom a text is readable, or left out.
        if self.view.zoom > READABLE {
            self.painter.text(at, Align2::CENTER_CENTER, text, font, colour);
        }
    }
}
