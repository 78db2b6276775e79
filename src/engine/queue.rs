//! The event queue.
