//! The terminal's settings, given back whatever happens.

/// Remembers how the terminal is set, and keeps it from showing what is typed while nobody edits a line: that may be
/// a password.
///
/// The thread that edits waits for keys and cannot be called back: if the module's port goes away first, the program
/// ends with the terminal still set for editing.
#[derive(Debug)]
pub(super) struct Terminal {
    #[cfg(unix)]
    settings: Option<rustix::termios::Termios>,
}

impl Terminal {
    #[cfg(unix)]
    pub(super) fn quiet() -> Self {
        use rustix::termios::{LocalModes, tcgetattr};
        let settings = tcgetattr(rustix::stdio::stdin()).ok();
        if let Some(mut quiet) = settings.clone() {
            quiet.local_modes.remove(LocalModes::ECHO);
            set(&quiet);
        }
        Self { settings }
    }

    #[cfg(not(unix))]
    pub(super) fn quiet() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(settings) = &self.settings {
            set(settings);
        }
    }
}

#[cfg(unix)]
fn set(settings: &rustix::termios::Termios) {
    use rustix::termios::{OptionalActions, tcsetattr};
    // A terminal that is gone needs no settings.
    let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, settings);
}
