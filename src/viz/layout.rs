//! Layout: positions of the boxes of nodes, in layers along the flow, with groups kept together and few crossings.
//!
//! Layered graph drawing after Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system
//! structures", 1981). Each group or single node is a block. Its layer is the length of the longest path from a source.
//! Within a layer, blocks are ordered by the mean position of their neighbours, in several sweeps. The layout depends
//! on the scenario alone, so the same system always looks the same.
//!
//! Distances are in layout units; at a zoom of 1, a unit is a screen point. Positions are centres of boxes; y points
//! upwards.

use crate::engine::floor_to_usize;
use crate::event::{Node, NodeRange, PerKind};
use crate::model::names::Names;
use crate::scenario::Scenario;

/// Distance between two layers.
pub const LAYER: f32 = 300.0;
/// Width and height of a box.
pub const NODE: (f32, f32) = (150.0, 64.0);
/// Vertical gap between two boxes of a block.
const GAP: f32 = 26.0;
/// Additional vertical gap between two blocks.
const BLOCK_GAP: f32 = 40.0;
/// Distance between two columns of a layer.
const COLUMN: f32 = 196.0;
/// Number of boxes up to which a layer always has a single column.
const MIN_ROWS: f64 = 16.0;
/// Aspect ratio (width to height) of a layer with several columns: about that of a window.
const LAYER_ASPECT: f64 = 1.5;
/// Maximum number of members of a group that are drawn one by one. A larger group is folded into one box.
pub const MAX_MEMBERS: usize = 16;
/// Number of ordering sweeps. More sweeps do not change the layout of typical systems.
const SWEEPS: usize = 8;

/// The box of a node, or of all members of a folded group.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeBox {
    /// The label of the box.
    pub name: String,
    /// The name in the scenario: of the node, or of its group if it is a member.
    pub entry: String,
    /// The nodes in the box: one, or all members of a folded group.
    pub nodes: NodeRange,
    /// Centre of the box.
    pub x: f32,
    /// See `x`; upwards.
    pub y: f32,
}

impl NodeBox {
    /// The node of the box; the first member of a folded group.
    #[must_use]
    pub const fn node(&self) -> Node {
        Node::new(self.nodes.kind, self.nodes.first)
    }

    /// Whether the box contains several nodes.
    #[must_use]
    pub const fn is_folded(&self) -> bool {
        self.nodes.count != 1
    }
}

/// All boxes, and the links between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The boxes.
    pub boxes: Vec<NodeBox>,
    /// Sender and receiver of each link, as indices into `boxes`.
    pub edges: Vec<(usize, usize)>,
    /// The box of every node, by kind and row. An array, because every dot looks up two boxes in every frame.
    box_of_node: PerKind<Vec<usize>>,
}

/// A source, a node or a group during the layout.
struct Block {
    /// Index of its entry in [`Names::entries`].
    entry: usize,
    layer: usize,
    /// Sort key within the layer.
    order: f32,
    /// Number of boxes.
    boxes: usize,
}

impl Layout {
    /// The layout of a checked scenario.
    #[must_use]
    pub fn of(scenario: &Scenario, names: &Names) -> Self {
        let edges = entry_edges(scenario, names);
        let mut blocks = layered(names, &edges);
        order(&mut blocks, &edges);
        let mut layout = Self::default();
        let mut boxes_of: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
        let mut left = 0.0;
        for layer in 0..=blocks.iter().map(|block| block.layer).max().unwrap_or(0) {
            left = layout.place_layer((layer, left), &blocks, names, &mut boxes_of);
        }
        for (from, to) in edges {
            for &a in &boxes_of[from] {
                layout.edges.extend(boxes_of[to].iter().map(|&b| (a, b)));
            }
        }
        layout
    }

    /// Places the blocks of a layer below each other, in one or several columns from `left` on, each vertically
    /// centred. Returns the x position of the next layer.
    fn place_layer(
        &mut self,
        (layer, left): (usize, f32),
        blocks: &[Block],
        names: &Names,
        boxes_of: &mut [Vec<usize>],
    ) -> f32 {
        let mut layer_blocks: Vec<&Block> = blocks.iter().filter(|block| block.layer == layer).collect();
        layer_blocks.sort_by(|a, b| a.order.total_cmp(&b.order).then(a.entry.cmp(&b.entry)));
        let rows = rows(layer_blocks.iter().map(|block| block.boxes).sum());
        let (mut x, mut y, mut first) = (left, 0.0, self.boxes.len());
        for block in layer_blocks {
            let entry = &names.entries[block.entry];
            let used = self.boxes.len() - first;
            // A group that fits into one column is not split.
            if used > 0 && used + block.boxes > rows {
                (x, y, first) = self.next_column(x, first);
            }
            let count = u32::try_from(entry.members.len()).unwrap_or(u32::MAX);
            let folded = entry.members.len() > MAX_MEMBERS;
            for member in 0..if folded { 1 } else { count } {
                let name = if folded {
                    format!("{} ({count})", entry.name)
                } else {
                    entry.members[member as usize].clone()
                };
                let at = self.boxes.len();
                boxes_of[block.entry].push(at);
                let nodes_in_box = if folded { count } else { 1 };
                let nodes = NodeRange { kind: entry.kind, first: entry.first + member, count: nodes_in_box };
                let box_of_node = &mut self.box_of_node[nodes.kind];
                let (row, end) = (nodes.first as usize, (nodes.first + nodes.count) as usize);
                box_of_node.resize(box_of_node.len().max(end), 0);
                box_of_node[row..end].fill(at);
                self.boxes.push(NodeBox { name, entry: entry.name.clone(), nodes, x, y });
                y -= NODE.1 + GAP;
            }
            y -= BLOCK_GAP;
        }
        self.next_column(x, first);
        x + LAYER
    }

    /// Centres the boxes of a column, from box `first` on, vertically. Returns x, y and the first box of the next
    /// column.
    fn next_column(&mut self, x: f32, first: usize) -> (f32, f32, usize) {
        let column = &mut self.boxes[first..];
        let ends = column.first().zip(column.last()).map(|(top, bottom)| f32::midpoint(top.y, bottom.y));
        column.iter_mut().for_each(|node_box| node_box.y -= ends.unwrap_or_default());
        (x + COLUMN, 0.0, self.boxes.len())
    }

    /// The box of a node, as an index into `boxes`, or `None` if there is no such node.
    #[must_use]
    pub fn find(&self, node: Node) -> Option<usize> {
        self.box_of_node[node.kind()].get(node.row() as usize).copied()
    }

    /// Whether another layout has the same boxes, possibly at other positions.
    #[must_use]
    pub fn has_same_boxes(&self, other: &Self) -> bool {
        let same = |(a, b): (&NodeBox, &NodeBox)| a.nodes == b.nodes && a.name == b.name;
        self.boxes.len() == other.boxes.len() && self.boxes.iter().zip(&other.boxes).all(same)
    }

    /// The bounding rectangle of all boxes and the origin: minimum x, minimum y, maximum x, maximum y.
    #[must_use]
    pub fn bounds(&self) -> [f32; 4] {
        let xs = || self.boxes.iter().map(|node_box| node_box.x);
        let ys = || self.boxes.iter().map(|node_box| node_box.y);
        let (w, h) = (NODE.0 / 2.0, NODE.1 / 2.0);
        [
            xs().fold(0.0, f32::min) - w,
            ys().fold(0.0, f32::min) - h,
            xs().fold(0.0, f32::max) + w,
            ys().fold(0.0, f32::max) + h,
        ]
    }
}

/// Maximum number of boxes of a column, in a layer of `boxes`.
fn rows(boxes: usize) -> usize {
    let squared_rows = boxes as f64 * f64::from(COLUMN / (NODE.1 + GAP)) / LAYER_ASPECT;
    floor_to_usize(squared_rows.sqrt().ceil().max(MIN_ROWS))
}

/// Sender and receiver of each link, as indices of entries.
fn entry_edges(scenario: &Scenario, names: &Names) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    let mut add = |from: &str, to: &str| {
        if let (Some((from, _)), Some((to, _))) = (names.entry(from), names.entry(to))
            && !edges.contains(&(from, to))
        {
            edges.push((from, to));
        }
    };
    for (name, spec) in scenario.specs() {
        spec.sends_to().into_iter().for_each(|to| add(name, to));
    }
    edges
}

/// One block for each entry. Its layer is the length of the longest path from a source. The scenario has no cycles.
fn layered(names: &Names, edges: &[(usize, usize)]) -> Vec<Block> {
    let mut layers = vec![0_usize; names.entries.len()];
    for _ in 0..names.entries.len() {
        for &(from, to) in edges {
            layers[to] = layers[to].max(layers[from] + 1);
        }
    }
    let blocks = names.entries.iter().zip(layers).enumerate().map(|(entry, (group, layer))| {
        // A node without senders goes into the second layer, as the first is for sources.
        let has_no_sender = !edges.iter().any(|edge| edge.1 == entry) && group.kind.receives();
        let boxes = if group.members.len() > MAX_MEMBERS { 1 } else { group.members.len() };
        #[expect(clippy::cast_precision_loss, reason = "there are some hundred blocks")]
        let order = entry as f32;
        Block { entry, layer: if has_no_sender { layer.max(1) } else { layer }, order, boxes }
    });
    blocks.collect()
}

/// Orders blocks by the mean order of their neighbours: senders and receivers, in alternating sweeps.
fn order(blocks: &mut [Block], edges: &[(usize, usize)]) {
    for sweep in 0..SWEEPS {
        let before: Vec<f32> = blocks.iter().map(|block| block.order).collect();
        for block in &mut *blocks {
            let neighbour_order = |&(from, to): &(usize, usize)| {
                let (own, other) = if sweep % 2 == 0 { (to, from) } else { (from, to) };
                (own == block.entry).then(|| before[other])
            };
            let neighbours: Vec<f32> = edges.iter().filter_map(neighbour_order).collect();
            if !neighbours.is_empty() {
                #[expect(clippy::cast_precision_loss, reason = "a block has few neighbours")]
                let mean = neighbours.iter().sum::<f32>() / neighbours.len() as f32;
                block.order = mean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;
    use crate::scenario::{DEFAULT_SCENARIO, load};

    fn layout_and_names(text: &str) -> (Layout, Names) {
        let loaded = load("test.ron", text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}"));
        let names = loaded.scenario.names();
        (Layout::of(&loaded.scenario, &names), names)
    }

    fn layout(text: &str) -> Layout {
        layout_and_names(text).0
    }

    #[test]
    fn the_built_in_scenario_has_four_layers() {
        let (layout, names) = layout_and_names(DEFAULT_SCENARIO.1);
        let x = |name: &str| {
            layout.boxes.iter().find(|node_box| node_box.name == name).expect("the node has a box").x
        };
        let columns =
            ["everyone", "customer-1001", "router", "client-1", "server-2"].map(|name| x(name) / LAYER);
        assert_eq!(columns.map(f32::to_bits), [0.0_f32, 0.0, 1.0, 2.0, 3.0].map(f32::to_bits));
        // Two sources send to the router, the router to three clients, each client to three servers.
        assert_eq!(layout.edges.len(), 2 + 3 + 9);
        let server = names.node_named("server-2").expect("the node exists");
        assert_eq!(layout.find(server).map(|at| layout.boxes[at].name.as_str()), Some("server-2"));
    }

    #[test]
    fn no_two_boxes_overlap_and_large_groups_are_folded() {
        let (layout, names) = layout_and_names(
            r#"(name: "x", run_until: "1s",
                sources: {"a": (arrivals: Constant(rate: "1/s"), to: "lb"), "b": (arrivals: Constant(rate: "1/s"), to: "s-0")},
                nodes: {"lb": LoadBalancer(policy: Random, to: ["s", "many"]), "s": Server(count: 5, service: Constant("1ms"), then: "end"),
                        "many": Server(count: 400, service: Constant("1ms")), "end": Server(service: Constant("1ms")),
                        "idle": Server(service: Constant("1ms"))})"#,
        );
        // Two sources, a load balancer, five servers, one box for 400 servers, two more servers.
        assert_eq!(layout.boxes.len(), 2 + 1 + 5 + 1 + 2);
        for (at, node_box) in layout.boxes.iter().enumerate() {
            assert_eq!(node_box.is_folded(), node_box.entry == "many");
            assert!(node_box.nodes.nodes().all(|node| layout.find(node) == Some(at)), "{}", node_box.name);
        }
        for kind in NodeKind::ALL {
            let rows = u32::try_from(names.count(kind)).expect("there are few nodes");
            assert_eq!(layout.find(Node::new(kind, rows)), None);
        }
        for (i, a) in layout.boxes.iter().enumerate() {
            for b in &layout.boxes[i + 1..] {
                let apart = (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
                assert!(apart, "the boxes of {} and {} overlap", a.name, b.name);
            }
        }
        let [left, low, right, high] = layout.bounds();
        assert!(layout.boxes.iter().all(|p| p.x > left && p.x < right && p.y > low && p.y < high));
    }

    #[test]
    fn a_layer_of_a_thousand_boxes_has_several_columns() {
        let groups: Vec<String> = (0..60).map(|group| format!("g{group}")).collect();
        let nodes: String = groups
            .iter()
            .map(|name| format!("\"{name}\": Server(count: 16, service: Constant(\"1ms\")), "))
            .collect();
        let layout = layout(&format!(
            r#"(name: "x", run_until: "1s", sources: {{"a": (arrivals: Constant(rate: "1/s"), to: "lb")}},
                nodes: {{"lb": LoadBalancer(policy: Random, to: {groups:?}), {nodes} }})"#
        ));
        assert_eq!(layout.boxes.len(), 962);
        let [left, low, right, high] = layout.bounds();
        let aspect = (right - left) / (high - low);
        assert!((1.0..2.5).contains(&aspect), "{aspect}");
        let column = |name: &str| {
            layout.boxes.iter().find(|node_box| node_box.name == name).expect("the node has a box").x
        };
        for group in &groups {
            let (first, last) = (column(&format!("{group}-0")), column(&format!("{group}-15")));
            assert_eq!(first.to_bits(), last.to_bits(), "{group} is in one column");
        }
        for (i, a) in layout.boxes.iter().enumerate() {
            let apart = |b: &NodeBox| (a.x - b.x).abs() >= NODE.0 || (a.y - b.y).abs() >= NODE.1;
            assert!(layout.boxes[i + 1..].iter().all(apart), "the box of {} overlaps another one", a.name);
        }
    }

    #[test]
    fn crossings_are_avoided() {
        let layout = layout(
            r#"(name: "x", run_until: "1s",
                sources: {"a": (arrivals: Constant(rate: "1/s"), to: "y"), "b": (arrivals: Constant(rate: "1/s"), to: "x")},
                nodes: {"x": Server(service: Constant("1ms")), "y": Server(service: Constant("1ms"))})"#,
        );
        let y = |name: &str| {
            layout.boxes.iter().find(|node_box| node_box.name == name).expect("the node has a box").y
        };
        assert_eq!(y("a") > y("b"), y("y") > y("x"));
    }
}
