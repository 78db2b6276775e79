//! The window: shows the requests of a run moving through the system. Every dot is a real request of the same run that
//! `rushhour run` simulates.
//!
//! The simulation has its own world and schedule. A [`session`] advances it to a time and reads its trace.
//! [`live_state`] holds the state of all requests and servers, [`layout`] the positions of the boxes. [`picture`]
//! paints both, and [`panels`] surround the picture. All of these are plain functions of plain data that paint with
//! egui, so they are tested without a GPU. Bevy provides the window, the loop and the renderer, in `app`.

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
pub mod tracked_request;

pub use app::{Format, Medium, OffscreenJob, OffscreenOutput, Options, films_can_be_made, view};
pub use panels::Origin;
