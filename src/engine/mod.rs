//! The discrete-event kernel: virtual time, the event queue, random streams, distributions and statistics.
//!
//! It knows nothing of requests: what an event means is decided in [`simulation`](crate::simulation).

use bevy_ecs::change_detection::ContiguousMut;
use bevy_ecs::component::{Component, Mutable};
use bevy_ecs::system::Query;

use row::Column;

pub mod distribution;
pub mod hash;
pub mod queue;
pub mod random;
pub mod row;
pub mod spec_error;
pub mod statistics;
pub mod time;
pub mod units;

/// Borrows a component of all entities that have it as one column, in the order in which they were spawned.
///
/// This is what makes an event cheap: a row of a column costs a nanosecond or two where `Query::get_mut` costs seven to
/// eighty. It rests on an invariant: entities with `T` all have the same components, are spawned once and are never
/// despawned or changed in structure, so that their rows lie in one table and never move. Change detection is not
/// informed: readers poll.
///
/// # Panics
/// If the invariant is broken, so that the entities lie in more than one table.
pub fn column<'a, P: ?Sized, T: Component<Mutability = Mutable>>(
    query: &'a mut Query<'_, '_, &'static mut T>,
) -> Column<'a, P, T> {
    let mut tables = query
        .contiguous_iter_mut()
        .expect("components on hot paths are in table storage")
        .map(|column| ContiguousMut::bypass_change_detection_split(column).0)
        .filter(|column| !column.is_empty());
    let column = tables.next().unwrap_or_default();
    assert!(tables.next().is_none(), "all entities of a kind lie in one table");
    Column::new(column)
}

/// A number that is meant as a count or a position, cut to a whole one; below zero, or if it is none, it is zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as is wanted"
)]
pub(crate) const fn whole(x: f64) -> usize {
    x as usize
}
