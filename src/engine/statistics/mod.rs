//! Statistics that are updated in place.
