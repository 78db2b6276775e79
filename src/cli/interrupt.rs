//! Ctrl-C: the first one requests the end of the run, which stops at the next poll; a second one exits at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the user has requested the end of the run. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Installs a handler of Ctrl-C. If that fails, Ctrl-C ends the program as usual.
    pub(super) fn listen() -> Self {
        let interrupt = Self::default();
        let requested = Arc::clone(&interrupt.0);
        let handler = move || {
            if requested.swap(true, Ordering::Relaxed) {
                std::process::exit(1);
            }
        };
        drop(ctrlc::set_handler(handler));
        interrupt
    }

    /// Whether Ctrl-C was pressed.
    pub(super) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag that is set when Ctrl-C is pressed.
    #[cfg(feature = "viz")]
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// A writer to `out` that fails after Ctrl-C was pressed.
    pub(super) fn guard<'a>(&'a self, out: &'a mut dyn Write) -> impl Write + 'a {
        Guarded { interrupt: self, out }
    }
}

struct Guarded<'a> {
    interrupt: &'a Interrupt,
    out: &'a mut dyn Write,
}

impl Write for Guarded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not `ErrorKind::Interrupted`: `write_all` would try again.
        if self.interrupt.is_requested() {
            Err(io::Error::other("interrupted"))
        } else {
            self.out.write(bytes)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guarded_writer_fails_after_an_interrupt() {
        let (interrupt, mut out) = (Interrupt::default(), Vec::new());
        interrupt.guard(&mut out).write_all(b"a").expect("no interrupt was requested");
        interrupt.0.store(true, Ordering::Relaxed);
        assert!(interrupt.guard(&mut out).write_all(b"b").is_err());
        assert_eq!(out, b"a");
    }
}
