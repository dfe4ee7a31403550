//! The ways to the module that need an operating system: pseudo terminals and TCP.

use std::time::Duration;

use tokio::net::TcpStream;
use virtual_modem::{TcpPort, Vendor, VirtualModem};

use crate::host::Host;

fn modem() -> VirtualModem {
    VirtualModem::builder(Vendor::Quectel).turnaround(Duration::ZERO).build().unwrap()
}

#[tokio::test]
async fn one_host_after_the_other_over_tcp() {
    let modem = modem();
    let port = TcpPort::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    let server = tokio::spawn({
        let modem = modem.clone();
        async move { port.serve(&modem).await }
    });
    let mut first = Host::new(TcpStream::connect(address).await.unwrap());
    first.say("ATE0\r").await;
    first.hear("ATE0\r\r\nOK\r\n").await;
    drop(first);
    let mut second = Host::new(TcpStream::connect(address).await.unwrap());
    second.ask("AT+CMEE?", "\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    server.abort();
}

#[cfg(unix)]
mod pty {
    use std::fs::OpenOptions;
    use std::io::{Read, Write};
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    use std::path::Path;
    use std::time::{Duration, Instant};

    use tokio::sync::Mutex;
    use virtual_modem::PtyLink;

    use super::modem;

    /// Programs that are started inherit what this process has open, for a moment: a port that is closed meanwhile
    /// stays open as long. So the tests that look at that take turns.
    static TURNS: Mutex<()> = Mutex::const_new(());

    /// Opens the port as a program does, says something and hears exactly that; blocks.
    fn exchange(path: &Path, say: &str, hear: &str) {
        let mut port = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOCTTY.bits() as i32)
            .open(path)
            .unwrap();
        port.write_all(say.as_bytes()).unwrap();
        let mut heard = vec![0; hear.len()];
        port.read_exact(&mut heard).unwrap();
        assert_eq!(heard.escape_ascii().to_string(), hear.as_bytes().escape_ascii().to_string());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn programs_come_and_go() {
        let _turn = TURNS.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem");
        let pty = PtyLink::open(Some(&path)).unwrap();
        assert_eq!(pty.path(), path);
        let modem = modem();
        let server = tokio::spawn({
            let modem = modem.clone();
            async move { pty.serve(&modem).await }
        });
        let path_of_program = path.clone();
        tokio::task::spawn_blocking(move || {
            exchange(&path_of_program, "ATE0\r", "ATE0\r\r\nOK\r\n");
        })
        .await
        .unwrap();
        let path_of_program = path.clone();
        tokio::task::spawn_blocking(move || {
            // The settings are still there: it is the same module.
            exchange(&path_of_program, "AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n");
            // Every byte value passes unchanged in both directions.
            let name: String =
                (1..=31).filter(|byte| !matches!(byte, b'\r' | b'\n' | 8)).map(char::from).collect();
            exchange(&path_of_program, &format!("AT+CGSN;{name}\r"), "\r\n867567041234560\r\n\r\nERROR\r\n");
        })
        .await
        .unwrap();
        server.abort();
        assert!(server.await.unwrap_err().is_cancelled());
        assert!(!path.is_symlink(), "the link goes with the terminal");
    }

    /// Whether a user without privileges can open the port; an exclusive lock does not stop the superuser.
    fn anybody_can_open(path: &Path) -> bool {
        let mut command = std::process::Command::new("sh");
        if rustix::process::geteuid().is_root() {
            command = std::process::Command::new("setpriv");
            command.args(["--reuid", "65534", "--clear-groups", "sh"]);
        }
        command.args(["-c", ": <>\"$0\""]).arg(path).stderr(std::process::Stdio::null());
        command.status().unwrap().success()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_a_killed_program_leaves_behind_is_cleared_away() {
        let _turn = TURNS.lock().await;
        let pty = PtyLink::open(None).unwrap();
        let path = pty.path().to_path_buf();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let modem = modem();
        let server = tokio::spawn({
            let modem = modem.clone();
            async move { pty.serve(&modem).await }
        });
        tokio::task::spawn_blocking(move || {
            let mut port = OpenOptions::new().read(true).write(true).open(&path).unwrap();
            assert!(anybody_can_open(&path));
            rustix::termios::ioctl_tiocexcl(&port).unwrap();
            assert!(!anybody_can_open(&path));
            port.write_all(b"ATE0\rAT\r").unwrap();
            let mut heard = [0; 11];
            port.read_exact(&mut heard).unwrap();
            // The second answer is never read, and the lock is never released.
            drop(port);
            let start = Instant::now();
            while !anybody_can_open(&path) {
                assert!(start.elapsed() < Duration::from_secs(20), "the port stays locked");
            }
            exchange(&path, "AT+CGMM\r", "\r\nEC200T\r\n\r\nOK\r\n");
        })
        .await
        .unwrap();
        server.abort();
    }

    #[tokio::test]
    async fn a_file_in_the_way_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem");
        std::fs::write(&path, "precious").unwrap();
        assert_eq!(PtyLink::open(Some(&path)).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/nowhere", &path).unwrap();
        let pty = PtyLink::open(Some(&path)).unwrap();
        assert!(std::fs::read_link(&path).unwrap().starts_with("/dev"));
        drop(pty);
        assert!(!path.is_symlink());
    }
}
