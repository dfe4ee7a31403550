//! A pseudo terminal with somebody who answers at its other end.

use std::os::fd::OwnedFd;
use std::path::Path;

use at_port::transport::{Line, SerialPort};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

use crate::instant_io::answer_to;

/// The end of the host, opened as a serial port.
#[allow(
    deprecated,
    reason = "what takes its place is unsafe; an owned descriptor is valid as long as it lives"
)]
pub(crate) fn open() -> SerialPort {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are pseudo terminals");
    grantpt(&master).expect("it is ours");
    unlockpt(&master).expect("it is ours");
    let mut settings = tcgetattr(&master).expect("it is a terminal");
    settings.make_raw();
    tcsetattr(&master, OptionalActions::Now, &settings).expect("it is a terminal");
    rustix::io::ioctl_fionbio(&master, true).expect("it can be set");
    let name = ptsname(&master, Vec::new()).expect("it has a name");
    let port = SerialPort::open(Path::new(&*name.to_string_lossy()), Line::default());
    tokio::spawn(serve(AsyncFd::new(master).expect("a runtime is there")));
    port.expect("it can be opened")
}

async fn serve(master: AsyncFd<OwnedFd>) {
    let mut buffer = [0; 64];
    let mut length = 0;
    loop {
        let Ok(mut ready) = master.readable().await else { return };
        match rustix::io::read(&master, &mut buffer[length..]) {
            Ok(count) if count > 0 => length += count,
            Err(Errno::AGAIN) => {
                ready.clear_ready();
                continue;
            }
            _ => return,
        }
        let answer = answer_to(&buffer[..length]);
        if !answer.is_empty() {
            length = 0;
            // So few bytes always have room.
            if rustix::io::write(&master, answer).is_err() {
                return;
            }
        }
    }
}
