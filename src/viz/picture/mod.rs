//! The picture: boxes, links, and a dot for every request at its location at the time shown.
//!
//! egui paints it in one pass. The locations of requests come from [`live_state`](super::live_state), the positions of
//! boxes from [`layout`](super::layout). So the picture can be painted without a window and tested without a GPU.

mod dots;
mod gpu;
mod links;
mod pick;
mod pins;
mod server_state;

use bevy_egui::egui::text::{LayoutJob, TextWrapping};
use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, vec2,
};

use super::layout::{Layout, NODE, NodeBox};
use super::session::Session;
use super::theme::{BAD, Colouring, Theme};
use crate::analysis::{Finding, Severity};
use crate::event::RequestRow;
use crate::model::fault::Victim;
use crate::model::metric::Metric;
use crate::model::parts::Fault;

pub use dots::{Dot, Dots};
pub use gpu::DotsPlugin;

/// The visible part of the layout, the colouring, and the selection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Camera {
    /// Screen points per layout unit, or 0 to fit the whole layout in the next frame.
    pub zoom: f32,
    /// The layout point in the middle of the picture.
    pub middle: (f32, f32),
    /// The property that decides the colours of requests.
    pub colouring: Colouring,
    /// The highlighted key.
    pub highlight: Option<u32>,
    /// The selected box.
    pub node: Option<usize>,
    /// The selected request.
    pub request: Option<RequestRow>,
    /// The plots pinned to boxes, each as box and metric.
    pub pins: Vec<(usize, &'static Metric)>,
    /// Whether the user has moved or zoomed the picture. If not, every frame fits the whole layout.
    moved_by_user: bool,
    /// The box that is being dragged.
    dragged: Option<usize>,
}

/// Converts a number to the precision of screen coordinates.
#[expect(clippy::cast_possible_truncation, reason = "screen coordinates need no more precision")]
pub(super) const fn single(number: f64) -> f32 {
    number as f32
}

/// Details are hidden at this zoom and below, where they would be too small to read.
const MIN_TEXT_ZOOM: f32 = 0.35;
/// Names are hidden at this zoom and below, where not even their beginning fits.
const MIN_NAME_ZOOM: f32 = 0.14;
/// Minimum size of a name, in points.
const MIN_NAME_SIZE: f32 = 9.0;
/// Width that a name may have, as a multiple of the width of its box.
const NAME_WIDTH: f32 = 1.3;

/// Paints one pane.
struct Canvas<'a> {
    painter: Painter,
    /// The number of the pane: 0, or 1 for the right one of two.
    pane: usize,
    rect: Rect,
    session: &'a Session,
    camera: &'a Camera,
    theme: &'a Theme,
}

/// Paints a session, and handles the mouse: move, zoom and select.
pub fn show(ui: &mut Ui, session: &mut Session, camera: &mut Camera, theme: &Theme) {
    let rect = ui.available_rect_before_wrap();
    pane(ui, 0, rect, session, camera, theme);
}

/// Paints two sessions side by side. The panels show the selection of the first one.
pub fn show_both(ui: &mut Ui, sessions: [&mut Session; 2], camera: &mut Camera, theme: &Theme) {
    let area = ui.available_rect_before_wrap();
    let (left, right) = area.split_left_right_at_fraction(0.5);
    let [first, second] = sessions;
    pane(ui, 0, left, first, camera, theme);
    // The right pane follows the left one, including the selected box, if both show the same nodes.
    let same = first.layout.has_same_boxes(&second.layout);
    let mut right_camera = Camera { request: None, node: camera.node.filter(|_| same), ..camera.clone() };
    if same {
        second.layout.boxes.clone_from(&first.layout.boxes);
    } else {
        fit(&mut right_camera, &second.layout, right.size());
        right_camera.pins.clear();
    }
    pane(ui, 1, right, second, &mut right_camera, theme);
    if same {
        (camera.zoom, camera.middle, camera.node) =
            (right_camera.zoom, right_camera.middle, right_camera.node);
        (camera.moved_by_user, camera.dragged) = (right_camera.moved_by_user, right_camera.dragged);
        first.layout.boxes.clone_from(&second.layout.boxes);
    }
    ui.painter().vline(area.center().x, area.y_range(), Stroke::new(1.0, theme.edge));
    for (rect, session) in [(left, first), (right, second)] {
        let at = rect.left_top() + vec2(10.0, 8.0);
        ui.painter().text(at, Align2::LEFT_TOP, &session.name, FontId::proportional(13.0), theme.faint);
    }
}

/// Paints a session into a rectangle of the screen.
fn pane(ui: &mut Ui, number: usize, rect: Rect, session: &mut Session, camera: &mut Camera, theme: &Theme) {
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    session.read_resources();
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::ZERO, theme.ground);
    // Fits the layout again whenever the window or a panel is resized, until the user moves the camera.
    camera.moved_by_user &= camera.zoom > 0.0;
    if !camera.moved_by_user {
        fit(camera, &session.layout, rect.size());
    }
    let pointer = response.interact_pointer_pos();
    let canvas = Canvas { painter, pane: number, rect, session, camera, theme };
    if response.drag_started() {
        // egui reports a drag only after some movement. The drag starts where the button was pressed.
        let from = ui.input(|input| input.pointer.press_origin()).or(pointer);
        let dragged = from.and_then(|at| canvas.node_at(at));
        (camera.dragged, camera.moved_by_user) = (dragged, true);
    }
    if response.dragged() {
        let moved = response.drag_delta() / camera.zoom;
        match camera.dragged.and_then(|at| session.layout.boxes.get_mut(at)) {
            Some(place) => (place.x, place.y) = (place.x + moved.x, place.y - moved.y),
            None => camera.middle = (camera.middle.0 - moved.x, camera.middle.1 + moved.y),
        }
    }
    let scroll = ui.input(|input| input.smooth_scroll_delta().y);
    if response.hovered() && scroll.abs() > 0.0 {
        zoom(camera, rect, ui.input(|input| input.pointer.hover_pos()), (scroll * 0.002).exp2());
    }
    if let Some(at) = pointer.filter(|_| response.clicked()) {
        let canvas = Canvas { painter: ui.painter_at(rect), pane: number, rect, session, camera, theme };
        let selected = canvas.pick(at);
        (camera.node, camera.request) = selected;
    }
    let canvas = Canvas { painter: ui.painter_at(rect), pane: number, rect, session, camera, theme };
    canvas.paint();
    // A tooltip replaces names that are too small to read.
    let hovered =
        response.hover_pos().filter(|_| 13.0 * camera.zoom < MIN_NAME_SIZE).and_then(|at| canvas.node_at(at));
    if let Some(place) = hovered.map(|at| &session.layout.boxes[at]) {
        response.on_hover_text_at_pointer(place.name.as_str());
    }
}

/// Zooms by a factor. The layout point under the pointer stays there.
fn zoom(camera: &mut Camera, rect: Rect, pointer: Option<Pos2>, factor: f32) {
    camera.moved_by_user = true;
    let before = camera.zoom;
    camera.zoom = (camera.zoom * factor).clamp(0.02, 8.0);
    if let Some(pointer) = pointer {
        let offset = pointer - rect.center();
        let change = 1.0 / before - 1.0 / camera.zoom;
        camera.middle = (camera.middle.0 + offset.x * change, camera.middle.1 - offset.y * change);
    }
}

/// Zooms and moves the camera so that the whole layout fits into `size`.
pub fn fit(camera: &mut Camera, layout: &Layout, size: Vec2) {
    let [left, low, right, high] = layout.bounds();
    // Margins for badges above the boxes and queues below them.
    let (width, height) = (right - left + 60.0, high - low + 90.0);
    camera.zoom = (size.x / width).min(size.y / height).clamp(0.02, 1.6);
    camera.middle = (f32::midpoint(left, right), f32::midpoint(low, high));
}

/// The texts of the faults that concern a part, each once; empty if there are none.
fn listed(faults: &[(Victim, String)], concerns: impl Fn(Victim) -> bool) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for (_, text) in faults.iter().filter(|(victim, _)| concerns(*victim)) {
        if !texts.contains(&text.as_str()) {
            texts.push(text);
        }
    }
    texts.join(", ")
}

impl Canvas<'_> {
    /// The screen position of a layout point.
    fn at(&self, x: f32, y: f32) -> Pos2 {
        let zoom = self.camera.zoom;
        self.rect.center() + vec2((x - self.camera.middle.0) * zoom, (self.camera.middle.1 - y) * zoom)
    }

    /// The screen rectangle of a box.
    fn box_rect(&self, place: &NodeBox) -> Rect {
        Rect::from_center_size(self.at(place.x, place.y), vec2(NODE.0, NODE.1) * self.camera.zoom)
    }

    fn paint(&self) {
        let faults = self.faults();
        self.links(&faults);
        let layout = &self.session.layout;
        layout.boxes.iter().enumerate().for_each(|(at, place)| self.node(at, place, &faults));
        self.dots();
        self.pins();
    }

    fn node(&self, at: usize, place: &NodeBox, faults: &[(Victim, String)]) {
        let (rect, zoom) = (self.box_rect(place), self.camera.zoom);
        let troubles = self.troubles(|finding| finding.node() == place.name);
        let edge = match (self.camera.node == Some(at), troubles.is_empty()) {
            (true, _) => Stroke::new(2.5, self.theme.ink),
            (false, false) => Stroke::new(2.0, BAD),
            (false, true) => Stroke::new(1.0, self.theme.edge),
        };
        let corner = CornerRadius::same(if place.nodes.kind.receives() { 7 } else { 30 });
        self.painter.rect(rect, corner, self.theme.plate, edge, StrokeKind::Middle);
        if let Some(server_state) = self.session.live_state.server_state(place.node()) {
            self.name(rect.center_top() + vec2(0.0, 11.0 * zoom), rect, &place.name);
            if place.is_folded() {
                self.folded(rect, place.nodes);
            } else {
                self.server_state(rect, place.node(), server_state);
            }
        } else {
            self.name(rect.center() - vec2(0.0, 6.0 * zoom), rect, &place.name);
            let kind = place.nodes.kind.name();
            self.text(rect.center() + vec2(0.0, 11.0 * zoom), kind, 10.5, self.theme.faint);
        }
        let faults = listed(faults, |victim| Self::is_of_node(place, victim));
        self.text(rect.center_bottom() - vec2(0.0, 9.0 * zoom), &faults, 9.5, BAD);
        self.badge(rect, &troubles);
    }

    /// The faults in effect, each alone with one of the parts that it happens to.
    fn faults(&self) -> Vec<(Victim, String)> {
        let of_fault = |(victims, fault): (&[Victim], &Fault)| -> Vec<(Victim, String)> {
            victims.iter().map(|victim| (*victim, fault.to_string())).collect()
        };
        self.session.faults_in_effect().flat_map(of_fault).collect()
    }

    /// Whether a fault happens to a node of a box.
    fn is_of_node(place: &NodeBox, victim: Victim) -> bool {
        matches!(victim, Victim::Nodes(nodes) if place.nodes.overlaps(nodes))
    }

    /// The names of the findings of severity "trouble" about a node or a link at the time shown.
    fn troubles(&self, is_about: impl Fn(&Finding) -> bool) -> Vec<&'static str> {
        let now = self.session.clock.now.as_seconds();
        let findings = self.session.background_run.findings().iter().filter(|finding| {
            finding.severity() == Severity::Trouble
                && is_about(finding)
                && finding.from.is_none_or(|from| from <= now)
                && finding.to.is_none_or(|to| now <= to)
        });
        findings.map(|finding| finding.kind().name()).collect()
    }

    /// A badge above a box with the first finding, and the number of others.
    fn badge(&self, rect: Rect, troubles: &[&str]) {
        let Some(first) = troubles.first().filter(|_| self.camera.zoom > MIN_TEXT_ZOOM) else { return };
        let more = if troubles.len() > 1 { format!(" +{}", troubles.len() - 1) } else { String::new() };
        let text = format!("{}{more}", first.replace('_', " "));
        let font = FontId::proportional((9.5 * self.camera.zoom).clamp(7.0, 22.0));
        let galley = self.painter.layout_no_wrap(text, font, Color32::WHITE);
        let size = galley.size() + vec2(10.0, 2.0) * self.camera.zoom;
        // A name above the box takes the place of the badge, which is then painted inside the box.
        let above = if self.has_names_above() { -1.0 } else { size.y + 3.0 * self.camera.zoom };
        let pill = Rect::from_min_size(rect.right_top() - vec2(size.x, above), size);
        self.painter.rect_filled(pill, CornerRadius::same(8), BAD);
        self.painter.galley(pill.center() - galley.size() / 2.0, galley, Color32::WHITE);
    }

    /// Whether names are painted above the boxes, which are too small for them.
    fn has_names_above(&self) -> bool {
        13.0 * self.camera.zoom < MIN_NAME_SIZE
    }

    /// Paints the name of a box at a point, or above the box if that is too small for it. A name that is too long is
    /// shortened.
    fn name(&self, at: Pos2, rect: Rect, name: &str) {
        let size = 13.0 * self.camera.zoom;
        if self.camera.zoom <= MIN_NAME_ZOOM {
            return;
        }
        let font = FontId::proportional(size.clamp(MIN_NAME_SIZE, 30.0));
        let ink = self.theme.ink;
        let mut job = LayoutJob::simple_singleline(name.to_owned(), font, ink);
        job.wrap = TextWrapping::truncate_at_width(NAME_WIDTH * rect.width());
        let galley = self.painter.fonts_mut(|fonts| fonts.layout_job(job));
        let is_above = self.has_names_above();
        let above = rect.center_top() - vec2(0.0, galley.size().y / 2.0);
        let centre = if is_above { above } else { at };
        self.painter.galley(centre - galley.size() / 2.0, galley, ink);
    }

    /// Paints a centred text, unless it would be too small to read.
    fn text(&self, at: Pos2, text: &str, size: f32, colour: Color32) {
        let font = FontId::proportional((size * self.camera.zoom).clamp(7.0, 30.0));
        if self.camera.zoom > MIN_TEXT_ZOOM {
            self.painter.text(at, Align2::CENTER_CENTER, text, font, colour);
        }
    }
}
