//! Films: raw pictures go into `ffmpeg`, a whole file comes out, or none.
//!
//! An MP4 is encoded while the pictures come. A GIF has one palette for all of its pictures, which is known only after the
//! last: they are kept without loss in a file until then, so that memory does not grow with the film.

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

/// The encoder that is looked for.
const FFMPEG: &str = "ffmpeg";
/// Between two looks at whether the encoder is done.
const PAUSE: Duration = Duration::from_millis(20);
/// One palette for the whole film, mostly of what moves. Nothing is dithered: dots and text have few colours and sharp
/// edges, and unchanged parts of a picture are stored once only if they are the same to the last pixel.
const PALETTE: &str =
    "[0:v]palettegen=stats_mode=full[palette];[1:v][palette]paletteuse=dither=none:diff_mode=rectangle";
/// The colours of screens as players take them, and an even size, which the format asks for.
const COLOURS: &str =
    "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p";

/// What kind of film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plays everywhere, without end; at most 256 colours.
    Gif,
    /// Small and exact enough.
    Mp4,
}

impl Format {
    /// The format that the name of a file asks for.
    #[must_use]
    pub fn of(file: &Path) -> Option<Self> {
        let ending = file.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "gif" => Some(Self::Gif),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }

    /// Pictures a second, if nothing else is asked for. A GIF counts in hundredths of a second.
    #[must_use]
    pub const fn usual_rate(self) -> u32 {
        match self {
            Self::Gif => 25,
            Self::Mp4 => 30,
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Gif => ".gif",
            Self::Mp4 => ".mp4",
        }
    }
}

/// Whether films can be made here.
#[must_use]
pub fn is_there() -> bool {
    let mut command = Command::new(FFMPEG);
    command.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What a film is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameSink {
    pub(super) format: Format,
    /// Width and height of its pictures, in pixels.
    pub(super) size: (u32, u32),
    /// Pictures a second.
    pub(super) rate: u32,
    /// Whether the pictures come as they are seen, so that there is little time for each.
    pub(super) live: bool,
}

/// A film that is being made.
pub(super) struct Encoder {
    reel: FrameSink,
    directory: PathBuf,
    running: Running,
    /// What is being written; removed again unless it is kept.
    file: TempPath,
}

impl Encoder {
    /// Begins a film that will lie in a directory.
    ///
    /// # Errors
    /// If nothing can be written there, or the encoder does not start.
    pub(super) fn start(directory: &Path, reel: FrameSink) -> io::Result<Self> {
        let ending = match reel.format {
            Format::Gif => ".mov",
            Format::Mp4 => reel.format.ending(),
        };
        let file = files::unnamed(directory, ending)?;
        let (width, height) = reel.size;
        let mut arguments = words("-f rawvideo -pix_fmt rgba -video_size");
        arguments.push(format!("{width}x{height}").into());
        arguments.extend(words("-framerate"));
        arguments.push(reel.rate.to_string().into());
        arguments.extend(words("-i -"));
        match reel.format {
            // Without loss, and small for pictures that are much like the one before.
            Format::Gif => arguments.extend(words("-c:v qtrle -pix_fmt rgb24")),
            Format::Mp4 => {
                arguments.extend(["-vf".into(), COLOURS.into()]);
                arguments
                    .extend(words("-crf 18 -movflags +faststart -colorspace bt709 -color_primaries bt709"));
                arguments.extend(words("-color_trc bt709 -preset"));
                arguments.push(if reel.live { "veryfast" } else { "medium" }.into());
            }
        }
        arguments.push(file.as_os_str().to_owned());
        let running = Running::start(&arguments, Stdio::piped())?;
        Ok(Self { reel, directory: directory.to_owned(), running, file })
    }

    /// Takes a picture: four bytes a pixel.
    ///
    /// # Errors
    /// If the encoder has ended.
    pub(super) fn picture(&mut self, rgba: &[u8]) -> io::Result<()> {
        let Some(stdin) = self.running.child.stdin.as_mut() else {
            return Err(io::Error::other("the film has ended"));
        };
        let Err(error) = stdin.write_all(rgba) else { return Ok(()) };
        // That the pipe is closed says little; what the encoder complained of says why.
        drop(self.running.child.wait());
        let diagnostic = self.running.diagnostic();
        Err(if diagnostic.is_empty() { error } else { io::Error::other(diagnostic) })
    }

    /// The whole film, under no name yet.
    ///
    /// # Errors
    /// If the encoder fails, or somebody wants an end meanwhile.
    pub(super) fn finish(mut self, interrupt: &AtomicBool) -> io::Result<TempPath> {
        drop(self.running.child.stdin.take());
        self.running.wait(interrupt)?;
        match self.reel.format {
            Format::Mp4 => Ok(self.file),
            Format::Gif => {
                let film = files::unnamed(&self.directory, Format::Gif.ending())?;
                let kept = self.file.as_os_str();
                // Two readers: one goes to the end for the palette before the other begins.
                let mut arguments: Vec<OsString> = vec!["-i".into(), kept.into(), "-i".into(), kept.into()];
                arguments.extend(["-filter_complex".into(), PALETTE.into()]);
                arguments.extend(words("-loop 0"));
                arguments.push(film.as_os_str().to_owned());
                Running::start(&arguments, Stdio::null())?.wait(interrupt)?;
                Ok(film)
            }
        }
    }
}

/// The encoder while it runs. It is ended with this.
struct Running {
    child: Child,
    diagnostics: File,
}

impl Running {
    fn start(arguments: &[OsString], stdin: Stdio) -> io::Result<Self> {
        // A file takes whatever it complains of without being read meanwhile.
        let diagnostics = tempfile::tempfile()?;
        let mut command = Command::new(FFMPEG);
        command.args(["-hide_banner", "-loglevel", "error", "-y", "-nostdin"]).args(arguments);
        command.stdin(stdin).stdout(Stdio::null()).stderr(diagnostics.try_clone()?);
        apart(&mut command);
        Ok(Self { child: command.spawn()?, diagnostics })
    }

    fn wait(&mut self, interrupt: &AtomicBool) -> io::Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                let said = || format!("{FFMPEG} ended with {status}: {}", self.diagnostic());
                return if status.success() { Ok(()) } else { Err(io::Error::other(said())) };
            }
            if interrupt.load(Ordering::Relaxed) {
                return Err(io::Error::other("interrupted"));
            }
            thread::sleep(PAUSE);
        }
    }

    fn diagnostic(&self) -> String {
        let mut text = Vec::new();
        let mut file = &self.diagnostics;
        let read = file.rewind().and_then(|()| file.read_to_end(&mut text));
        drop(read);
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Harmless if it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Ctrl-C means this program, which then ends its encoder as it sees fit.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Ctrl-C means this program, which then ends its encoder as it sees fit.
#[cfg(windows)]
fn apart(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn apart(_: &mut Command) {}

fn words(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(|word| OsStr::new(word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_says_what_kind_of_film_it_is() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!((of("a.gif"), of("b/c.MP4")), (Some(Format::Gif), Some(Format::Mp4)));
        assert_eq!((of("gif"), of("a.avi"), of("a.gif.png"), of("")), (None, None, None, None));
    }
}
