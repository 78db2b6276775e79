//! The targets of nodes that route to groups that grow and shrink: those of the targets that are there.
//!
//! A list is shared by all routers with the same targets. They learn at once of a node that joins or leaves its group
//! (see [`NodeState::is_target`](crate::model::node_state::NodeState::is_target)), and never of one that is down.

use std::sync::Arc;

use bevy_ecs::prelude::*;

use crate::event::Node;
use crate::model::Target;

/// All lists of targets that come and go. Routers refer to them by index.
#[derive(Resource, Clone, Debug, Default)]
pub struct TargetLists(Vec<TargetList>);

/// The targets of some routers, and those that are there.
#[derive(Clone, Debug)]
struct TargetList {
    /// All targets.
    all: Arc<[Target]>,
    /// The nodes of all targets with their indices, sorted.
    by_node: Vec<(Node, u32)>,
    /// The targets that are there, in the order of `all`.
    present: Vec<Target>,
    /// The index of each of them in `all`, ascending.
    indices: Vec<u32>,
}

impl TargetLists {
    /// Adds a list of targets, of which those for which `is_present` holds are there. Returns its index.
    pub(in crate::model) fn add(&mut self, all: &Arc<[Target]>, is_present: impl Fn(Node) -> bool) -> u32 {
        let mut by_node: Vec<(Node, u32)> = all.iter().map(Target::node).zip(0..).collect();
        let present = || by_node.iter().filter(|(node, _)| is_present(*node));
        let indices: Vec<u32> = present().map(|(_, index)| *index).collect();
        let present = indices.iter().map(|index| all[*index as usize]).collect();
        by_node.sort_unstable();
        self.0.push(TargetList { all: Arc::clone(all), by_node, present, indices });
        self.last().expect("a list was added")
    }

    /// The index of the list that was added last, or `None` if there is none.
    pub(in crate::model) fn last(&self) -> Option<u32> {
        self.0.len().checked_sub(1).and_then(|last| u32::try_from(last).ok())
    }

    /// Whether a list has these targets.
    pub(in crate::model) fn is_list_of(&self, list: u32, all: &Arc<[Target]>) -> bool {
        Arc::ptr_eq(&self.0[list as usize].all, all)
    }

    /// The targets of a list that are there.
    #[inline]
    pub(super) fn present(&self, list: u32) -> &[Target] {
        &self.0[list as usize].present
    }

    /// The index among all targets of each target of a list that is there.
    #[inline]
    pub(super) fn indices(&self, list: u32) -> &[u32] {
        &self.0[list as usize].indices
    }

    /// The index among all targets of a target that is there.
    #[inline]
    pub(super) fn index(&self, list: u32, present: usize) -> usize {
        self.0[list as usize].indices[present] as usize
    }

    /// Adds a node to the lists that contain it, or removes it. No effect on lists in which it already is, or is not.
    #[cold]
    pub fn set_present(&mut self, node: Node, is_present: bool) {
        for list in &mut self.0 {
            let first = list.by_node.partition_point(|(other, _)| *other < node);
            // A target may be named twice: as a member, and with its group.
            for at in (first..list.by_node.len()).take_while(|at| list.by_node[*at].0 == node) {
                let index = list.by_node[at].1;
                match (list.indices.binary_search(&index), is_present) {
                    (Err(at), true) => {
                        list.indices.insert(at, index);
                        list.present.insert(at, list.all[index as usize]);
                    }
                    (Ok(at), false) => {
                        list.indices.remove(at);
                        list.present.remove(at);
                    }
                    (Ok(_), true) | (Err(_), false) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::node;
    use super::*;
    use crate::engine::row::Row;

    #[test]
    fn targets_keep_their_order_as_they_come_and_go() {
        let all: Arc<[Target]> = [4, 2, 3, 2].map(|row| Target::new(node(row), Row::NONE, 0)).into();
        let mut lists = TargetLists::default();
        let list = lists.add(&all, |target| target != node(2));
        let check = |lists: &TargetLists, expected: &[u32]| {
            let rows: Vec<u32> = lists.present(list).iter().map(|target| target.node().row()).collect();
            assert_eq!(rows, expected);
            let same = |(at, target): (usize, &Target)| all[lists.index(list, at)] == *target;
            assert!(lists.present(list).iter().enumerate().all(same));
        };
        check(&lists, &[4, 3]);
        lists.set_present(node(2), true);
        lists.set_present(node(2), true);
        check(&lists, &[4, 2, 3, 2]);
        for row in [4, 7, 2, 3] {
            lists.set_present(node(row), false);
        }
        check(&lists, &[]);
        lists.set_present(node(3), true);
        check(&lists, &[3]);
    }
}
