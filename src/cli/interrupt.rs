//! Ctrl-C: the first one asks the run to end between two slices, a second one ends the program at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether somebody wants the run to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. Where that cannot be, Ctrl-C ends the program as it always does.
    pub(super) fn listen() -> Self {
        let interrupt = Self::default();
        let asked = Arc::clone(&interrupt.0);
        let handler = move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(1);
            }
        };
        drop(ctrlc::set_handler(handler));
        interrupt
    }

    /// Whether it was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What is set once it was asked for.
    #[cfg(feature = "viz")]
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// A writer that fails once it was asked for.
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
        // Not `ErrorKind::Interrupted`: that one means "try again".
        if self.interrupt.is_asked() { Err(io::Error::other("interrupted")) } else { self.out.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_once_it_was_asked_for() {
        let (interrupt, mut out) = (Interrupt::default(), Vec::new());
        interrupt.guard(&mut out).write_all(b"a").expect("nobody asked");
        interrupt.0.store(true, Ordering::Relaxed);
        assert!(interrupt.guard(&mut out).write_all(b"b").is_err());
        assert_eq!(out, b"a");
    }
}
