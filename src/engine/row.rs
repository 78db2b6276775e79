//! Rows and columns: the place of an entity among its like, and the components that lie there.
//!
//! Entities that the hot path reaches are spawned in order and never move, so a row number stands for each. A row belongs
//! to its owner: the row of a client does not compile where the row of a server is wanted, and costs nothing for it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use bevy_ecs::change_detection::ContiguousMut;
use bevy_ecs::component::{Component, Mutable};
use bevy_ecs::system::{Query, SystemParam};

/// The place of an entity among those with the component `P`, in the order in which they were spawned.
pub struct Row<P: ?Sized>(u32, PhantomData<fn() -> P>);

impl<P: ?Sized> Row<P> {
    /// No row: what stands for "none" where an `Option` would need more room.
    pub const NONE: Self = Self::new(u32::MAX);

    /// The row with this number.
    #[must_use]
    #[inline]
    pub const fn new(number: u32) -> Self {
        Self(number, PhantomData)
    }

    /// Its number.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Its number, to index with.
    #[must_use]
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Whether it stands for none.
    #[must_use]
    #[inline]
    pub const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

impl<P: ?Sized> Clone for Row<P> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: ?Sized> Copy for Row<P> {}

impl<P: ?Sized> PartialEq for Row<P> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<P: ?Sized> Eq for Row<P> {}

impl<P: ?Sized> PartialOrd for Row<P> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<P: ?Sized> Ord for Row<P> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<P: ?Sized> Hash for Row<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<P: ?Sized> fmt::Debug for Row<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A component of all entities with the component `P`, borrowed for a tick and reached by row.
#[derive(Debug)]
pub struct Column<'a, P: ?Sized, T> {
    rows: &'a mut [T],
    owner: PhantomData<fn() -> P>,
}

impl<'a, P: ?Sized, T> Column<'a, P, T> {
    /// The column of these components, in the order of rows.
    #[must_use]
    pub const fn new(rows: &'a mut [T]) -> Self {
        Self { rows, owner: PhantomData }
    }

    /// How many rows it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The component in a row, if there is such a row.
    #[must_use]
    #[inline]
    pub fn get(&self, row: Row<P>) -> Option<&T> {
        self.rows.get(row.index())
    }

    /// The components in the order of rows.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// The components in the order of rows, to change them.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.rows.iter_mut()
    }
}

impl<P: ?Sized, T> Index<Row<P>> for Column<'_, P, T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, row: Row<P>) -> &T {
        &self.rows[row.index()]
    }
}

impl<P: ?Sized, T> IndexMut<Row<P>> for Column<'_, P, T> {
    #[inline(always)]
    fn index_mut(&mut self, row: Row<P>) -> &mut T {
        &mut self.rows[row.index()]
    }
}

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

/// All entities of a kind that is a single component, as a system reaches them.
#[derive(SystemParam)]
pub struct Rows<'w, 's, T: Component<Mutability = Mutable>> {
    rows: Query<'w, 's, &'static mut T>,
}

impl<T: Component<Mutability = Mutable>> Rows<'_, '_, T> {
    /// Borrows their column for a tick.
    pub fn view(&mut self) -> Column<'_, T, T> {
        column(&mut self.rows)
    }
}
