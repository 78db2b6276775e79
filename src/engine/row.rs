//! Rows and columns: the index of an entity among its kind, and a component of all entities of a kind as a slice.
//!
//! Entities that the hot path accesses are spawned in order and never move, so a row number identifies each. A row is
//! typed by the kind of its entity, at no cost at run time: passing the row of a client for that of a server does not
//! compile.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use bevy_ecs::change_detection::ContiguousMut;
use bevy_ecs::component::{Component, Mutable};
use bevy_ecs::system::{Query, SystemParam};

/// The index of an entity among those with the component `P`, in the order in which they were spawned.
pub struct Row<P: ?Sized>(u32, PhantomData<fn() -> P>);

impl<P: ?Sized> Row<P> {
    /// No row: a sentinel for places where an `Option` would need more memory.
    pub const NONE: Self = Self::new(u32::MAX);

    /// The row with this number.
    #[must_use]
    #[inline]
    pub const fn new(number: u32) -> Self {
        Self(number, PhantomData)
    }

    /// The row number.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The row number as an index.
    #[must_use]
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Whether this is [`Row::NONE`].
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

/// The component `T` of all entities with the component `P`, borrowed for a tick and indexed by row.
#[derive(Debug)]
pub struct Column<'a, P: ?Sized, T> {
    rows: &'a mut [T],
    owner: PhantomData<fn() -> P>,
}

impl<'a, P: ?Sized, T> Column<'a, P, T> {
    /// A column of these components, in the order of rows.
    #[must_use]
    pub const fn new(rows: &'a mut [T]) -> Self {
        Self { rows, owner: PhantomData }
    }

    /// The number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The component in a row, or `None` if there is no such row.
    #[must_use]
    #[inline]
    pub fn get(&self, row: Row<P>) -> Option<&T> {
        self.rows.get(row.index())
    }

    /// The component in a row, mutably, or `None` if there is no such row.
    #[inline]
    pub fn get_mut(&mut self, row: Row<P>) -> Option<&mut T> {
        self.rows.get_mut(row.index())
    }

    /// The components in the order of rows.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// The components in the order of rows, mutably.
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
/// This makes events cheap: an access by row takes one or two nanoseconds, `Query::get_mut` seven to eighty. It relies
/// on an invariant: all entities with `T` have the same components, are spawned once and are never despawned or changed
/// in structure, so that their rows lie in one table and never move. It bypasses change detection: readers poll.
///
/// # Panics
/// If the invariant is broken, so that the entities lie in more than one table.
pub fn column<'a, P: ?Sized, T: Component<Mutability = Mutable>>(
    query: &'a mut Query<'_, '_, &'static mut T>,
) -> Column<'a, P, T> {
    let mut tables = query
        .contiguous_iter_mut()
        .expect("components on the hot path are in table storage")
        .map(|column| ContiguousMut::bypass_change_detection_split(column).0)
        .filter(|column| !column.is_empty());
    let column = tables.next().unwrap_or_default();
    assert!(tables.next().is_none(), "all entities of a kind lie in one table");
    Column::new(column)
}

/// System parameter for all entities of a kind that consists of the single component `T`.
#[derive(SystemParam)]
pub struct Rows<'w, 's, T: Component<Mutability = Mutable>> {
    rows: Query<'w, 's, &'static mut T>,
}

impl<T: Component<Mutability = Mutable>> Rows<'_, '_, T> {
    /// Borrows the column of components for a tick.
    pub fn view(&mut self) -> Column<'_, T, T> {
        column(&mut self.rows)
    }
}
