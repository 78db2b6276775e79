//! Stub: change_points.
