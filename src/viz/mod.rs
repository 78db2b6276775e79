//! The window: watch the requests of a run flow. Every dot is a real request of the very run that the headless program makes.
//!
//! The simulation keeps a world and a schedule of its own; the window only gives it horizons and reads what happened
//! ([`session`]). [`live_state`] knows who is where, [`layout`] where boxes stand, [`picture`] paints a moment, [`panels`] what is
//! around it. All of these are plain functions of plain data, painted by egui, so that they are tested without a GPU; Bevy
//! brings the window, the loop and the renderer, in `app`.

mod app;
pub mod background_run;
pub mod bench;
pub mod edits;
pub mod layout;
pub mod live_state;
pub mod log;
mod offscreen;
pub mod panels;
pub mod picture;
pub mod plots;
pub mod positions;
pub mod remembered;
pub mod server_state;
pub mod session;
#[cfg(test)]
mod tests;
pub mod theme;

pub use app::{Format, Medium, OffscreenJob, OffscreenOutput, Options, films_can_be_made, view};
pub use panels::Origin;
