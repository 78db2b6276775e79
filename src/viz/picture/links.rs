//! The links of the picture: a line between two boxes, which is the thicker the more bandwidth there is, and the faults in
//! effect.

use bevy_egui::egui::{Stroke, vec2};

use super::{Canvas, listed};
use crate::engine::units::Bandwidth;
use crate::model::fault::Victim;
use crate::model::link::{ANY, LinkSpec, direction_name};
use crate::viz::layout::NodeBox;
use crate::viz::theme::BAD;

/// Width of a link with an unlimited bandwidth, in layout units.
const UNLIMITED_WIDTH: f32 = 1.5;
/// Width of a link with a bandwidth of 1 Mbit/s or less.
const MIN_WIDTH: f32 = 1.5;
/// By how much a link with ten times the bandwidth is wider.
const WIDTH_OF_TEN: f32 = 1.0;

impl Canvas<'_> {
    pub(super) fn links(&self, faults: &[(Victim, String)]) {
        let layout = &self.session.layout;
        for &(from, to) in &layout.edges {
            let (sender, receiver) = (&layout.boxes[from], &layout.boxes[to]);
            let faults = listed(faults, |victim| self.is_of_link(sender, receiver, victim));
            let link = self.link(sender, receiver);
            let troubles = link.map_or_else(Vec::new, |link| self.troubles_of_link(link));
            let bandwidth = link.and_then(|link| link.bandwidths().into_iter().flatten().max());
            let width = bandwidth.map_or(UNLIMITED_WIDTH, width);
            let (from, to) = (self.box_rect(sender), self.box_rect(receiver));
            let is_well = faults.is_empty() && troubles.is_empty();
            let (width, colour) = if is_well { (width, self.theme.link) } else { (width.max(2.5), BAD) };
            let stroke = Stroke::new(width * self.camera.zoom.max(0.5), colour);
            let ends = [from.right_center(), to.left_center()];
            self.painter.line_segment(ends, stroke);
            let middle = ends[0].lerp(ends[1], 0.5);
            self.text(middle - vec2(0.0, 9.0 * self.camera.zoom), &faults, 10.5, BAD);
            self.text(
                middle + vec2(0.0, 11.0 * self.camera.zoom),
                &troubles.join(", ").replace('_', " "),
                10.5,
                BAD,
            );
        }
    }

    /// The findings about a link with a bandwidth.
    fn troubles_of_link(&self, link: &LinkSpec) -> Vec<&'static str> {
        let directions = [false, true].map(|is_response| direction_name(&link.name(), is_response));
        self.troubles(|finding| directions.contains(&finding.subject))
    }

    /// Whether a fault happens to the link between two boxes.
    fn is_of_link(&self, from: &NodeBox, to: &NodeBox, victim: Victim) -> bool {
        let Victim::Link(row) = victim else { return false };
        is_between(&self.session.scenario.links[row.index()], from, to)
    }

    /// The link between two boxes: the most specific one, the sender first.
    fn link(&self, from: &NodeBox, to: &NodeBox) -> Option<&LinkSpec> {
        let links = self.session.scenario.links.iter().filter(|link| is_between(link, from, to));
        let rank = |name: &str, place: &NodeBox| (name == place.name, name != ANY);
        links.max_by_key(|link| (rank(&link.from, from), rank(&link.to, to)))
    }
}

/// Whether a link leads from one box to the other.
fn is_between(link: &LinkSpec, from: &NodeBox, to: &NodeBox) -> bool {
    let is_of = |place: &NodeBox, name: &str| name == ANY || place.name == name || place.entry == name;
    is_of(from, &link.from) && is_of(to, &link.to)
}

/// The width of a link with this bandwidth.
fn width(bandwidth: Bandwidth) -> f32 {
    let nanos_per_byte_at_a_mbit = 8000.0;
    let tens = libm::log10(nanos_per_byte_at_a_mbit / bandwidth.nanos_per_byte());
    MIN_WIDTH + WIDTH_OF_TEN * super::single(tens.clamp(0.0, 6.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_with_more_bandwidth_is_wider() {
        let width = |mbit: u64| width(Bandwidth::bits_per_second(1_000_000 * mbit));
        assert!((width(1) - 1.5).abs() < 1e-6 && (width(1000) - 4.5).abs() < 1e-5);
        assert!(width(100_000) > width(10_000), "{}", width(100_000));
    }
}
