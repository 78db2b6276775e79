//! Saves what the window shows, as a picture or as a film. Each file is written by its own thread, so that the window
//! does not wait for the disk.
//!
//! A film plays in real time even if frames arrive unevenly: each frame is repeated until the next one is due.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::time::Real;
use bevy_egui::egui::Rect;

use super::encoder::{self, Encoder, FilmSettings, Format};
use super::{Content, pictures};
use crate::engine::time::SimTime;
use crate::viz::panels::HostRequest;

/// Frames per second of a film.
const RATE: u32 = 30;
/// Maximum number of frames that wait to be written. While there are that many, new ones are dropped.
const MAX_WAITING: usize = 8;

/// Status text of a recording without frames.
const NO_FRAMES: &str = "The recording ended before its first frame, so nothing was saved";

/// A frame to write into a film.
struct Frame {
    image: Image,
    /// Its number in the film, at [`RATE`] frames per second.
    number: u64,
    /// The simulated time that it shows.
    time: SimTime,
    /// The rectangle of the recording indicator, in pixels. The film does not show it.
    indicator: Option<[u32; 4]>,
}

/// A film that is being recorded.
struct Recording {
    frames: SyncSender<Frame>,
    /// When it started, in seconds of real time.
    started: f64,
    /// The number of the last frame that was requested from the renderer.
    last_requested: Option<u64>,
    /// Set by the writer when it has ended, possibly early.
    ended: Arc<AtomicBool>,
}

/// Takes pictures and films of the window.
#[derive(Resource, Default)]
pub(super) struct Recorder {
    recording: Option<Recording>,
    writers: Vec<JoinHandle<()>>,
    messages: Messages,
}

/// Status texts of the writers, to show in the window.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

impl Messages {
    fn push(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Recorder {
    fn spawn(&mut self, work: impl FnOnce() + Send + 'static) {
        self.writers.retain(|writer| !writer.is_finished());
        match thread::Builder::new().name("recorder".to_owned()).spawn(work) {
            Ok(writer) => self.writers.push(writer),
            Err(error) => self.messages.push(format!("Could not start a thread to write files: {error}")),
        }
    }

    /// Saves a picture under an unused name.
    fn save_picture(&mut self, image: Image, stem: String) {
        let messages = self.messages.clone();
        self.spawn(move || {
            let written =
                pictures::png(image).and_then(|png| pictures::write_new(Path::new("."), &stem, ".png", &png));
            messages.push(match written {
                Ok(path) => format!("Saved the picture to {}", relative(&path)),
                Err(error) => format!("Could not save the picture: {error}"),
            });
        });
    }

    fn start_recording(&mut self, stem: String, now: f64) {
        let (frames, incoming) = sync_channel(MAX_WAITING);
        let ended = Arc::new(AtomicBool::new(false));
        let (messages, writer_ended) = (self.messages.clone(), Arc::clone(&ended));
        self.spawn(move || {
            let message =
                if encoder::is_installed() { film(&incoming, &stem) } else { stills(&incoming, &stem) };
            writer_ended.store(true, Ordering::Relaxed);
            messages.push(message.unwrap_or_else(|error| format!("The recording failed: {error}")));
        });
        self.recording = Some(Recording { frames, started: now, last_requested: None, ended });
    }
}

/// Closing the window completes the files that are being written.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.recording = None;
        for writer in self.writers.drain(..) {
            drop(writer.join());
        }
    }
}

/// Executes the requests of the panels, and requests the frames of a film when they are due.
pub(super) fn record(
    mut recorder: ResMut<'_, Recorder>,
    mut content: ResMut<'_, Content>,
    time: Res<'_, Time<Real>>,
    window: Single<'_, '_, &Window>,
    mut commands: Commands<'_, '_>,
) {
    let (panels, now) = (&mut content.panels, time.elapsed_secs_f64());
    if let Some(message) = recorder.messages.take() {
        panels.status = message;
    }
    if recorder.recording.as_ref().is_some_and(|recording| recording.ended.load(Ordering::Relaxed)) {
        recorder.recording = None;
    }
    let shown_time = panels.session.as_ref().map_or(SimTime::ZERO, |session| session.clock.now);
    let stem = || {
        let name = panels.session.as_ref().map_or("", |session| session.name.as_str());
        pictures::name(name, shown_time)
    };
    let mut picture = None;
    match panels.host_request {
        None => {}
        Some(HostRequest::Picture) => picture = Some(stem()),
        Some(HostRequest::Recording) => {
            let stem = stem();
            if recorder.recording.take().is_none() {
                recorder.start_recording(stem, now);
            }
        }
    }
    panels.host_request = None;
    panels.recording = recorder.recording.is_some();
    let number = recorder.recording.as_mut().and_then(|recording| due(recording, now));
    if picture.is_none() && number.is_none() {
        return;
    }
    let indicator = panels.record_indicator.map(|rect| pixels(rect, window.scale_factor()));
    // One screenshot serves the picture and the film.
    let store = move |captured: On<'_, '_, ScreenshotCaptured>, mut recorder: ResMut<'_, Recorder>| {
        let image = || captured.image.clone();
        if let Some(stem) = picture.take() {
            recorder.save_picture(without_indicator(image(), indicator), stem);
        }
        if let (Some(number), Some(recording)) = (number, &recorder.recording) {
            // If the channel is full, this frame is dropped and the film repeats the one before.
            drop(recording.frames.try_send(Frame { image: image(), number, time: shown_time, indicator }));
        }
    };
    commands.spawn(Screenshot::primary_window()).observe(store);
}

/// The number of the frame that is due, or `None` if none is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and a film has far fewer than 2^64 frames"
)]
fn due(recording: &mut Recording, now: f64) -> Option<u64> {
    let number = ((now - recording.started).max(0.0) * f64::from(RATE)) as u64;
    let due = recording.last_requested.is_none_or(|last| last < number).then_some(number);
    recording.last_requested = due.or(recording.last_requested);
    due
}

/// A rectangle of the window in pixels: left, top, right, bottom.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and a window has some thousand pixels a side"
)]
fn pixels(rect: Rect, scale: f32) -> [u32; 4] {
    let [left, top] = [rect.left(), rect.top()].map(|edge| (edge * scale).floor().max(0.0) as u32);
    let [right, bottom] = [rect.right(), rect.bottom()].map(|edge| (edge * scale).ceil().max(0.0) as u32);
    [left, top, right, bottom]
}

/// The image with the recording indicator painted over in the colour of its upper left corner.
fn without_indicator(mut image: Image, indicator: Option<[u32; 4]>) -> Image {
    let (width, height) = (image.width(), image.height());
    if let (Some([left, top, right, bottom]), Some(data)) = (indicator, &mut image.data)
        && left < width
        && top < height
    {
        let at = |x: u32, y: u32| 4 * (y as usize * width as usize + x as usize);
        let background = data.get(at(left, top)..at(left, top) + 4).map(<[u8]>::to_vec).unwrap_or_default();
        for (y, x) in (top..bottom.min(height)).flat_map(|y| (left..right.min(width)).map(move |x| (y, x))) {
            if let Some(pixel) = data.get_mut(at(x, y)..at(x, y) + background.len()) {
                pixel.copy_from_slice(&background);
            }
        }
    }
    image
}

/// Writes a film until the sender closes or the window is resized. Returns the status text.
///
/// # Errors
/// If a frame cannot be converted, the encoder fails, or the file cannot be written.
fn film(incoming: &Receiver<Frame>, stem: &str) -> io::Result<String> {
    let directory = Path::new(".");
    let Ok(first) = incoming.recv() else { return Ok(NO_FRAMES.to_owned()) };
    let size = (first.image.width(), first.image.height());
    let settings = FilmSettings { format: Format::Mp4, size, rate: RATE, live: true };
    let mut encoder = Encoder::start(directory, settings)?;
    let mut last = pictures::rgba(without_indicator(first.image, first.indicator))?;
    let (mut written, mut resized) = (first.number, false);
    while let Ok(frame) = incoming.recv() {
        if (frame.image.width(), frame.image.height()) != size {
            resized = true;
            break;
        }
        while written < frame.number {
            encoder.frame(&last)?;
            written += 1;
        }
        last = pictures::rgba(without_indicator(frame.image, frame.indicator))?;
    }
    encoder.frame(&last)?;
    // Not interruptible: when the program ends, the film is still completed.
    let film = encoder.finish(&AtomicBool::new(false))?;
    let path = pictures::keep(film, directory, stem, ".mp4")?;
    let reason = if resized { "The window was resized, which ended the recording. " } else { "" };
    Ok(format!("{reason}Saved the film to {}", relative(&path)))
}

/// Writes each frame as a PNG file, all in one new directory. Returns the status text.
///
/// # Errors
/// If a frame cannot be converted, or a file cannot be written.
fn stills(incoming: &Receiver<Frame>, stem: &str) -> io::Result<String> {
    let mut created: Option<PathBuf> = None;
    for (number, frame) in incoming.iter().enumerate() {
        let directory = match &created {
            Some(directory) => directory,
            None => created.insert(pictures::new_directory(Path::new("."), stem)?),
        };
        let png = pictures::png(without_indicator(frame.image, frame.indicator))?;
        let name = format!("frame-{number:05}-{:.3}s", frame.time.as_seconds());
        pictures::write_new(directory, &name, ".png", &png)?;
    }
    Ok(match created {
        Some(directory) => {
            format!("ffmpeg is not installed. Saved the frames as pictures to {}", relative(&directory))
        }
        None => NO_FRAMES.to_owned(),
    })
}

/// A path without a leading `./`.
fn relative(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};

    fn image(size: u32) -> Image {
        let size = Extent3d { width: size, height: size, depth_or_array_layers: 1 };
        let grey = [9, 9, 9, 255];
        Image::new_fill(size, TextureDimension::D2, &grey, TextureFormat::Rgba8UnormSrgb, default())
    }

    #[test]
    fn a_film_does_not_show_the_recording_indicator() {
        let mut captured = image(20);
        let data = captured.data.as_mut().expect("the image has pixels");
        for y in 3..6 {
            data[4 * (y * 20 + 15)..][..4].copy_from_slice(&[255, 0, 0, 255]);
        }
        let indicator = pixels(Rect::from_min_max([7.0, 1.0].into(), [40.0, 3.0].into()), 2.0);
        assert_eq!(indicator, [14, 2, 80, 6]);
        assert_eq!(without_indicator(captured, Some(indicator)).data, image(20).data);
    }

    #[test]
    fn frames_are_due_at_a_constant_rate_even_if_the_window_lags() {
        let (frames, _incoming) = sync_channel(1);
        let mut recording = Recording { frames, started: 10.0, last_requested: None, ended: Arc::default() };
        let numbers: Vec<_> = [10.0, 10.01, 10.034, 10.05, 10.5].map(|now| due(&mut recording, now)).to_vec();
        assert_eq!(numbers, [Some(0), None, Some(1), None, Some(15)]);
    }
}
