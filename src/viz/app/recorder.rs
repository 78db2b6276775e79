//! What is seen in the window, kept: a picture, or a film while it goes on. Files are written by threads of their own, so
//! that the window does not wait for the disk.
//!
//! A film keeps the pace of the clock on the wall, however unevenly pictures come: each is shown until the next one's time.

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

use super::encoder::{self, Encoder, Format, FrameSink};
use super::{Shown, pictures};
use crate::engine::time::SimTime;
use crate::viz::panels::HostRequest;

/// Pictures a second of a film.
const RATE: u32 = 30;
/// Pictures that wait to be written; of more the newest are left out.
const MAX_WAITING: usize = 8;

/// A picture on its way into a film.
struct Frame {
    image: Image,
    /// Its place in the film, counted in pictures.
    place: u64,
    moment: SimTime,
    /// Where the red dot is, in pixels, which no film should show.
    lamp: Option<[u32; 4]>,
}

/// A film that goes on.
struct Recording {
    frames: SyncSender<Frame>,
    /// When it began, in seconds of real time.
    begun: f64,
    /// The place for which a picture was last asked for.
    asked: Option<u64>,
    over: Arc<AtomicBool>,
}

/// What is being kept.
#[derive(Resource, Default)]
pub(super) struct Recorder {
    recording: Option<Recording>,
    writers: Vec<JoinHandle<()>>,
    notes: Notes,
}

/// What is to be said in the window.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn tell(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
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
            Err(error) => self.notes.tell(format!("nothing can be written: {error}")),
        }
    }

    /// A picture has come: it is written under a name that nothing has.
    fn keep(&mut self, image: Image, stem: String) {
        let notes = self.notes.clone();
        self.spawn(move || {
            let written =
                pictures::png(image).and_then(|png| pictures::write_new(Path::new("."), &stem, ".png", &png));
            notes.tell(match written {
                Ok(path) => format!("the picture is in {}", shown(&path)),
                Err(error) => format!("the picture could not be written: {error}"),
            });
        });
    }

    fn begin(&mut self, stem: String, now: f64) {
        let (frames, incoming) = sync_channel(MAX_WAITING);
        let over = Arc::new(AtomicBool::new(false));
        let (notes, ended) = (self.notes.clone(), Arc::clone(&over));
        self.spawn(move || {
            let made = if encoder::is_there() { film(&incoming, &stem) } else { stills(&incoming, &stem) };
            ended.store(true, Ordering::Relaxed);
            notes.tell(made.unwrap_or_else(|error| format!("the recording has failed: {error}")));
        });
        self.recording = Some(Recording { frames, begun: now, asked: None, over });
    }
}

/// A window that is closed leaves its films whole.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.recording = None;
        for writer in self.writers.drain(..) {
            drop(writer.join());
        }
    }
}

/// Does what the keys asked for, and asks for the pictures of a film when they are due.
pub(super) fn record(
    mut recorder: ResMut<'_, Recorder>,
    mut shown: ResMut<'_, Shown>,
    time: Res<'_, Time<Real>>,
    window: Single<'_, '_, &Window>,
    mut commands: Commands<'_, '_>,
) {
    let (panels, now) = (&mut shown.panels, time.elapsed_secs_f64());
    if let Some(note) = recorder.notes.take() {
        panels.said = note;
    }
    if recorder.recording.as_ref().is_some_and(|recording| recording.over.load(Ordering::Relaxed)) {
        recorder.recording = None;
    }
    let moment = panels.session.as_ref().map_or(SimTime::ZERO, |session| session.clock.now);
    let stem = || {
        let name = panels.session.as_ref().map_or("", |session| session.name.as_str());
        pictures::name(name, moment)
    };
    let mut picture = None;
    match panels.wish {
        None => {}
        Some(HostRequest::Picture) => picture = Some(stem()),
        Some(HostRequest::Recording) => {
            let stem = stem();
            if recorder.recording.take().is_none() {
                recorder.begin(stem, now);
            }
        }
    }
    panels.wish = None;
    panels.recording = recorder.recording.is_some();
    let place = recorder.recording.as_mut().and_then(|recording| due(recording, now));
    if picture.is_none() && place.is_none() {
        return;
    }
    let lamp = panels.lamp.map(|lamp| pixels(lamp, window.scale_factor()));
    // One picture of a frame serves both.
    let take = move |taken: On<'_, '_, ScreenshotCaptured>, mut recorder: ResMut<'_, Recorder>| {
        if let Some(stem) = picture.take() {
            recorder.keep(covered(taken.image.clone(), lamp), stem);
        }
        if let (Some(place), Some(recording)) = (place, &recorder.recording) {
            // Where the disk is too slow, the picture before stays on for longer.
            drop(recording.frames.try_send(Frame { image: taken.image.clone(), place, moment, lamp }));
        }
    };
    commands.spawn(Screenshot::primary_window()).observe(take);
}

/// The place of the picture that is due, if one is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no film has so many pictures")]
fn due(recording: &mut Recording, now: f64) -> Option<u64> {
    let place = ((now - recording.begun).max(0.0) * f64::from(RATE)) as u64;
    let due = recording.asked.is_none_or(|asked| asked < place).then_some(place);
    recording.asked = due.or(recording.asked);
    due
}

/// A part of the window in its pixels: left, top, right, bottom.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a screen has some thousand pixels"
)]
fn pixels(part: Rect, scale: f32) -> [u32; 4] {
    let [left, top] = [part.left(), part.top()].map(|edge| (edge * scale).floor().max(0.0) as u32);
    let [right, bottom] = [part.right(), part.bottom()].map(|edge| (edge * scale).ceil().max(0.0) as u32);
    [left, top, right, bottom]
}

/// The picture without the red dot: it has the colour that is beside it.
fn covered(mut image: Image, lamp: Option<[u32; 4]>) -> Image {
    let (width, height) = (image.width(), image.height());
    if let (Some([left, top, right, bottom]), Some(data)) = (lamp, &mut image.data)
        && left < width
        && top < height
    {
        let at = |x: u32, y: u32| 4 * (y as usize * width as usize + x as usize);
        let ground = data.get(at(left, top)..at(left, top) + 4).map(<[u8]>::to_vec).unwrap_or_default();
        for (y, x) in (top..bottom.min(height)).flat_map(|y| (left..right.min(width)).map(move |x| (y, x))) {
            if let Some(pixel) = data.get_mut(at(x, y)..at(x, y) + ground.len()) {
                pixel.copy_from_slice(&ground);
            }
        }
    }
    image
}

/// Makes a film of what comes, until nothing more does. Tells what was made.
fn film(incoming: &Receiver<Frame>, stem: &str) -> io::Result<String> {
    let directory = Path::new(".");
    let Ok(first) = incoming.recv() else { return Ok("the recording ended before it began".to_owned()) };
    let size = (first.image.width(), first.image.height());
    let reel = FrameSink { format: Format::Mp4, size, rate: RATE, live: true };
    let mut encoder = Encoder::start(directory, reel)?;
    let mut last = pictures::rgba(covered(first.image, first.lamp))?;
    let (mut written, mut cut) = (first.place, false);
    while let Ok(frame) = incoming.recv() {
        if (frame.image.width(), frame.image.height()) != size {
            cut = true;
            break;
        }
        while written < frame.place {
            encoder.picture(&last)?;
            written += 1;
        }
        last = pictures::rgba(covered(frame.image, frame.lamp))?;
    }
    encoder.picture(&last)?;
    // Whoever wants an end wants it now, but what was recorded is kept.
    let film = encoder.finish(&AtomicBool::new(false))?;
    let path = pictures::keep(film, directory, stem, ".mp4")?;
    let why = if cut { "the window has another size, which ends the recording: it" } else { "the recording" };
    Ok(format!("{why} is in {}", shown(&path)))
}

/// Writes every picture as a file of its own, in a directory of their own. Tells where.
fn stills(incoming: &Receiver<Frame>, stem: &str) -> io::Result<String> {
    let mut made: Option<PathBuf> = None;
    for (number, frame) in incoming.iter().enumerate() {
        let directory = match &made {
            Some(directory) => directory,
            None => made.insert(pictures::new_directory(Path::new("."), stem)?),
        };
        let png = pictures::png(covered(frame.image, frame.lamp))?;
        let name = format!("frame-{number:05}-{:.3}s", frame.moment.as_seconds());
        pictures::write_new(directory, &name, ".png", &png)?;
    }
    Ok(match made {
        Some(directory) => {
            format!("there is no ffmpeg: the recording is in {}, as pictures", shown(&directory))
        }
        None => "the recording ended before it began".to_owned(),
    })
}

/// A path as people write it.
fn shown(path: &Path) -> String {
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
    fn the_red_dot_is_not_in_the_film() {
        let mut seen = image(20);
        let data = seen.data.as_mut().expect("it has pixels");
        for y in 3..6 {
            data[4 * (y * 20 + 15)..][..4].copy_from_slice(&[255, 0, 0, 255]);
        }
        let lamp = pixels(Rect::from_min_max([7.0, 1.0].into(), [40.0, 3.0].into()), 2.0);
        assert_eq!(lamp, [14, 2, 80, 6]);
        let seen = covered(seen, Some(lamp));
        assert_eq!(seen.data, image(20).data);
    }

    #[test]
    fn pictures_are_due_at_their_pace_however_the_window_lags() {
        let (frames, _incoming) = sync_channel(1);
        let mut recording = Recording { frames, begun: 10.0, asked: None, over: Arc::default() };
        let places: Vec<_> = [10.0, 10.01, 10.034, 10.05, 10.5].map(|now| due(&mut recording, now)).to_vec();
        assert_eq!(places, [Some(0), None, Some(1), None, Some(15)]);
    }
}
