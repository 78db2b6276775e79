//! Encodes films: pipes raw frames to `ffmpeg`, which writes a complete file or none.
//!
//! An MP4 is encoded while frames arrive. A GIF has one palette for all frames, which can be computed only after the
//! last one. Until then the frames are stored losslessly in a temporary file, so that memory use does not grow with the
//! length of the film.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempPath;

use crate::files;

/// The program that encodes films, looked up in `PATH`.
const FFMPEG: &str = "ffmpeg";
/// Interval at which the wait for the encoder checks for its end and for an interrupt.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Filter for GIF: one palette for the whole film, without dithering. Dots and text have few colours and sharp edges,
/// and `diff_mode` stores an unchanged region only once if its pixels are exactly the same.
const PALETTE: &str =
    "[0:v]palettegen=stats_mode=full[palette];[1:v][palette]paletteuse=dither=none:diff_mode=rectangle";
/// Filter for MP4: the colour space that players expect, and an even width and height, which the pixel format requires.
const COLOURS: &str =
    "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p";

/// A file format of films.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plays everywhere, in a loop. At most 256 colours.
    Gif,
    /// Small files with all colours.
    Mp4,
}

impl Format {
    /// The format for the extension of a file name, or `None` if no format has it.
    #[must_use]
    pub fn of(file: &Path) -> Option<Self> {
        let extension = file.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "gif" => Some(Self::Gif),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }

    /// Default number of frames per second. A GIF stores frame durations in hundredths of a second.
    #[must_use]
    pub const fn default_rate(self) -> u32 {
        match self {
            Self::Gif => 25,
            Self::Mp4 => 30,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Gif => ".gif",
            Self::Mp4 => ".mp4",
        }
    }
}

/// Whether `ffmpeg` can be run, so that films can be made.
#[must_use]
pub fn is_installed() -> bool {
    let mut command = Command::new(FFMPEG);
    command.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Format and dimensions of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilmSettings {
    pub(super) format: Format,
    /// Width and height of its frames, in pixels.
    pub(super) size: (u32, u32),
    /// Frames per second.
    pub(super) rate: u32,
    /// Whether frames arrive in real time. Speed then matters more than file size.
    pub(super) live: bool,
}

/// A film that is being encoded.
pub(super) struct Encoder {
    settings: FilmSettings,
    directory: PathBuf,
    process: Process,
    /// The file that the process writes. Deleted on drop.
    file: TempPath,
}

impl Encoder {
    /// Starts a film with temporary files in `directory`.
    ///
    /// # Errors
    /// If no file can be written to the directory, or the encoder cannot be started.
    pub(super) fn start(directory: &Path, settings: FilmSettings) -> io::Result<Self> {
        let extension = match settings.format {
            Format::Gif => ".mov",
            Format::Mp4 => settings.format.extension(),
        };
        let file = files::unnamed(directory, extension)?;
        let (width, height) = settings.size;
        let mut arguments = split("-f rawvideo -pix_fmt rgba -video_size");
        arguments.push(format!("{width}x{height}").into());
        arguments.extend(split("-framerate"));
        arguments.push(settings.rate.to_string().into());
        arguments.extend(split("-i -"));
        match settings.format {
            // Lossless, and compact if a frame differs little from the one before.
            Format::Gif => arguments.extend(split("-c:v qtrle -pix_fmt rgb24")),
            Format::Mp4 => {
                arguments.extend(["-vf".into(), COLOURS.into()]);
                arguments
                    .extend(split("-crf 18 -movflags +faststart -colorspace bt709 -color_primaries bt709"));
                arguments.extend(split("-color_trc bt709 -preset"));
                arguments.push(if settings.live { "veryfast" } else { "medium" }.into());
            }
        }
        arguments.push(file.as_os_str().to_owned());
        let process = Process::start(&arguments, Stdio::piped())?;
        Ok(Self { settings, directory: directory.to_owned(), process, file })
    }

    /// Adds a frame, as four bytes per pixel.
    ///
    /// # Errors
    /// If the encoder has ended.
    pub(super) fn frame(&mut self, rgba: &[u8]) -> io::Result<()> {
        let Some(stdin) = self.process.child.stdin.as_mut() else {
            return Err(io::Error::other("the film is finished"));
        };
        let Err(error) = stdin.write_all(rgba) else { return Ok(()) };
        // The error is only a broken pipe. The encoder's own message tells the cause.
        drop(self.process.child.wait());
        let message = self.process.error_output();
        Err(if message.is_empty() { error } else { io::Error::other(message) })
    }

    /// Completes the film, and returns its temporary file.
    ///
    /// # Errors
    /// If the encoder fails, or `interrupt` is set.
    pub(super) fn finish(mut self, interrupt: &AtomicBool) -> io::Result<TempPath> {
        drop(self.process.child.stdin.take());
        self.process.wait(interrupt)?;
        match self.settings.format {
            Format::Mp4 => Ok(self.file),
            Format::Gif => {
                let film = files::unnamed(&self.directory, Format::Gif.extension())?;
                let stored = self.file.as_os_str();
                // Two inputs: the first is read to its end for the palette before the second starts.
                let mut arguments: Vec<OsString> =
                    vec!["-i".into(), stored.into(), "-i".into(), stored.into()];
                arguments.extend(["-filter_complex".into(), PALETTE.into()]);
                arguments.extend(split("-loop 0"));
                arguments.push(film.as_os_str().to_owned());
                Process::start(&arguments, Stdio::null())?.wait(interrupt)?;
                Ok(film)
            }
        }
    }
}

/// A running encoder. Dropping it kills the encoder.
struct Process {
    child: Child,
    stderr: File,
}

impl Process {
    fn start(arguments: &[OsString], stdin: Stdio) -> io::Result<Self> {
        // A file rather than a pipe: nobody has to read it while the encoder runs.
        let stderr = tempfile::tempfile()?;
        let mut command = Command::new(FFMPEG);
        command.args(["-hide_banner", "-loglevel", "error", "-y", "-nostdin"]).args(arguments);
        command.stdin(stdin).stdout(Stdio::null()).stderr(stderr.try_clone()?);
        ignore_ctrl_c(&mut command);
        Ok(Self { child: command.spawn()?, stderr })
    }

    fn wait(&mut self, interrupt: &AtomicBool) -> io::Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                let message = || format!("{FFMPEG} failed ({status}): {}", self.error_output());
                return if status.success() { Ok(()) } else { Err(io::Error::other(message())) };
            }
            if interrupt.load(Ordering::Relaxed) {
                return Err(io::Error::other("interrupted"));
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// The text that the encoder wrote to standard error.
    fn error_output(&self) -> String {
        let mut text = Vec::new();
        let mut file = &self.stderr;
        let read = file.rewind().and_then(|()| file.read_to_end(&mut text));
        drop(read);
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails harmlessly if the encoder has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Keeps Ctrl-C from ending the encoder: this program handles it and decides when the encoder ends.
#[cfg(unix)]
fn ignore_ctrl_c(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Keeps Ctrl-C from ending the encoder: this program handles it and decides when the encoder ends.
#[cfg(windows)]
fn ignore_ctrl_c(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn ignore_ctrl_c(_: &mut Command) {}

/// The arguments in a text, separated by spaces.
fn split(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(|word| OsStr::new(word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_of_a_file_name_decides_the_format() {
        let format = |name: &str| Format::of(Path::new(name));
        assert_eq!((format("a.gif"), format("b/c.MP4")), (Some(Format::Gif), Some(Format::Mp4)));
        let others = ["gif", "a.avi", "a.gif.png", ""].map(format);
        assert_eq!(others, [None, None, None, None]);
    }
}
