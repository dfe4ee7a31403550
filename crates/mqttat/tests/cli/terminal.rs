//! The binary at a terminal, as a person sees it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::PATIENCE;

/// A program that has a terminal of 80 columns and 24 rows for stdin, stdout and stderr.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    shown: Arc<Mutex<Vec<u8>>>,
    seen: usize,
}

impl Terminal {
    pub(crate) fn start(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let end = || File::from(slave.try_clone().unwrap());
        command.env("TERM", "xterm-256color");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The command holds the terminal's other end, too, until it is dropped.
        drop((command, slave));
        let keys = File::from(master);
        let mut screen = keys.try_clone().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody has open any more cannot be read.
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { child, keys, shown, seen: 0 }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Everything that was shown so far.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until a text is shown behind what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            let shown = self.shown();
            let new = shown.get(self.seen..).unwrap_or_default();
            if let Some(position) = new.find(text) {
                self.seen += position + text.len();
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{text:?} is not shown: {shown:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What stands on the screen of a program that places its text.
    pub(crate) fn screen(&self) -> String {
        let mut rows = vec![vec![' '; 80]; 24];
        let (mut row, mut column) = (0, 0);
        let shown = self.shown();
        let mut characters = shown.chars();
        while let Some(character) = characters.next() {
            if character != '\x1b' {
                if let Some(cell) = rows.get_mut(row).and_then(|row: &mut Vec<char>| row.get_mut(column)) {
                    *cell = character;
                }
                column += 1;
                continue;
            }
            // Of control sequences only those that move to a row and a column matter.
            let sequence = characters.by_ref().skip_while(|it| *it == '[');
            let mut arguments = String::new();
            for character in sequence {
                if character.is_ascii_alphabetic() {
                    if character == 'H' {
                        let mut numbers =
                            arguments.split(';').map(|number| number.parse().unwrap_or(1_usize) - 1);
                        (row, column) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
                    }
                    break;
                }
                arguments.push(character);
            }
        }
        rows.into_iter().map(|row| row.into_iter().collect::<String>() + "\n").collect()
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub(crate) fn wait_for_screen(&self, text: &str) {
        let start = Instant::now();
        while !self.screen().contains(text) {
            assert!(start.elapsed() < PATIENCE, "{text:?} is not shown:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the program's end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A program that has ended already is what tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
