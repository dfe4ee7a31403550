//! Real transports: serial ports over pseudo terminals, and TCP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

use std::time::Duration;

use at_port::transport::{Address, Line, OpenError, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const GENEROUS: Duration = Duration::from_secs(20);

#[test]
fn addresses_are_read_and_shown() {
    for text in [
        "/dev/ttyUSB2",
        "COM5",
        "usb:2c7c:6005:0123:2",
        "/dev/serial/by-id/usb-Quectel",
        "tcp://10.0.0.7:2000",
        "tcp://[::1]:2000",
    ] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "usb:",
        "usb:2c7c",
        "tcp://",
        "tcp://host",
        "tcp://:2000",
        "tcp://host:0",
        "tcp://host:70000",
        "udp://host:1",
    ] {
        assert!(
            matches!(text.parse::<Address>(), Err(OpenError::Address { address }) if address == text),
            "{text}"
        );
    }
}

#[tokio::test]
async fn tcp_carries_bytes_and_a_refusal_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (opened, accepted) = tokio::join!(open(&address, Line::default()), listener.accept());
    let (mut port, (mut server, _)) = (opened.unwrap(), accepted.unwrap());
    port.write_all(b"AT\r").await.unwrap();
    port.flush().await.unwrap();
    let mut bytes = [0; 3];
    server.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"AT\r");
    server.write_all(b"\0\xff\r\n").await.unwrap();
    let mut bytes = [0; 4];
    port.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"\0\xff\r\n");
    drop((listener, server));
    assert_eq!(port.read(&mut bytes).await.unwrap(), 0);
    let error = open(&address, Line::default()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{address} cannot be opened"));
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn every_error_of_opening_says_what_to_do_in_one_clause() {
    let address = || "/dev/ttyUSB2".to_owned();
    let errors = [
        OpenError::Address { address: address() },
        OpenError::NotFound { address: address() },
        OpenError::Permission { address: address() },
        OpenError::Ambiguous { address: address(), ports: "/dev/ttyUSB2 and others".to_owned() },
        OpenError::Busy { address: address(), holder: "ModemManager (process 7)".to_owned() },
        OpenError::NotSerial { address: address() },
        OpenError::Timeout { address: address(), after: GENEROUS },
        OpenError::Io { address: address(), source: std::io::ErrorKind::Other.into() },
        OpenError::NoSerial { address: address() },
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("/dev/ttyUSB2") && !text.ends_with('.'), "{text}");
    }
    let unlisted = OpenError::Unlisted { source: std::io::ErrorKind::NotFound.into() };
    assert_eq!(unlisted.to_string(), "the system does not list its serial ports");
    assert!(unlisted.remedy().is_some());
}

#[cfg(all(unix, feature = "serial"))]
mod serial {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::path::{Path, PathBuf};

    use at_port::transport::{Connection, SerialPort};
    use at_port::{LinkState, PlainRules, Port, PortError, PortOptions};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// The module's end of a pseudo terminal, and the name of the host's.
    struct Terminal {
        module: File,
        path: PathBuf,
    }

    impl Terminal {
        fn new() -> Self {
            let module = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
            grantpt(&module).unwrap();
            unlockpt(&module).unwrap();
            let path = PathBuf::from(ptsname(&module, Vec::new()).unwrap().into_string().unwrap());
            Self { module: File::from(module), path }
        }

        async fn read_exactly(&self, count: usize) -> Vec<u8> {
            let mut module = self.module.try_clone().unwrap();
            let reading = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; count];
                module.read_exact(&mut bytes).map(|()| bytes)
            });
            tokio::time::timeout(GENEROUS, reading).await.unwrap().unwrap().unwrap()
        }

        fn write(&self, bytes: &[u8]) {
            (&self.module).write_all(bytes).unwrap();
        }
    }

    fn open_serial(path: &Path) -> Result<SerialPort, OpenError> {
        SerialPort::open(path, Line::new(921_600))
    }

    #[tokio::test]
    async fn a_serial_port_carries_every_byte_both_ways() {
        let terminal = Terminal::new();
        let mut port = open_serial(&terminal.path).unwrap();
        let bytes: Vec<u8> = (0..=255).collect();
        port.write_all(&bytes).await.unwrap();
        port.flush().await.unwrap();
        assert_eq!(terminal.read_exactly(256).await, bytes);
        terminal.write(&bytes);
        let mut read = vec![0; 256];
        tokio::time::timeout(GENEROUS, port.read_exact(&mut read)).await.unwrap().unwrap();
        assert_eq!(read, bytes);
    }

    #[tokio::test]
    async fn what_was_received_for_an_earlier_owner_is_dropped() {
        let terminal = Terminal::new();
        // A descriptor of the test keeps the terminal alive between the two owners.
        let keeper = File::options().read(true).open(&terminal.path).unwrap();
        let first = open_serial(&terminal.path).unwrap();
        terminal.write(b"old\r\n");
        drop(first);
        rustix::termios::ioctl_tiocnxcl(&keeper).unwrap();
        let mut second = open_serial(&terminal.path).unwrap();
        terminal.write(b"new\r\n");
        let mut read = [0; 5];
        tokio::time::timeout(GENEROUS, second.read_exact(&mut read)).await.unwrap().unwrap();
        assert_eq!(&read, b"new\r\n");
    }

    #[tokio::test]
    async fn f60_a_port_in_use_is_busy() {
        let terminal = Terminal::new();
        let first = open_serial(&terminal.path).unwrap();
        let Err(OpenError::Busy { address, holder }) = open_serial(&terminal.path) else {
            panic!("it is in use")
        };
        assert_eq!((address, &*holder), (terminal.path.display().to_string(), "this process"));
        drop(first);
    }

    #[tokio::test]
    async fn f60_the_holder_of_a_port_is_named() {
        let terminal = Terminal::new();
        // Another process has the terminal as its input.
        let input = File::options().read(true).write(true).open(&terminal.path).unwrap();
        let mut sleeper = std::process::Command::new("sleep").arg("60").stdin(input).spawn().unwrap();
        let first = open_serial(&terminal.path).unwrap();
        let second = open_serial(&terminal.path);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        let Err(OpenError::Busy { holder, .. }) = second else { panic!("it is in use") };
        assert_eq!(holder, format!("sleep (process {})", sleeper.id()));
        drop(first);
    }

    #[test]
    fn f60_modem_manager_has_a_remedy_of_its_own() {
        let busy =
            |holder: &str| OpenError::Busy { address: "/dev/ttyUSB2".to_owned(), holder: holder.to_owned() };
        assert!(busy("ModemManager (process 7)").remedy().unwrap().contains("ID_MM_DEVICE_IGNORE"));
        assert!(
            busy("another user's process, probably ModemManager (process 7)")
                .remedy()
                .unwrap()
                .contains("stop")
        );
        assert!(busy("minicom (process 7)").remedy().unwrap().contains("end that program"));
    }

    /// A process of its own, to be someone else: it tries to open the port and says what it is told.
    #[tokio::test]
    async fn f60_another_user_is_told_who_has_the_port() {
        use std::os::unix::fs::PermissionsExt;
        use std::os::unix::process::CommandExt;

        const PORT: &str = "AT_PORT_TEST_PORT";
        if let Some(path) = std::env::var_os(PORT) {
            let error = open_serial(Path::new(&path)).unwrap_err();
            // To the process above; the harness has its own lines on stdout.
            std::io::stderr().write_all(error.to_string().as_bytes()).unwrap();
            return;
        }
        let terminal = Terminal::new();
        let first = open_serial(&terminal.path).unwrap();
        std::fs::set_permissions(&terminal.path, std::fs::Permissions::from_mode(0o666)).unwrap();
        // Where others can run it, too.
        let program = std::env::temp_dir().join(format!("at-port-test-{}", std::process::id()));
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut other = std::process::Command::new(&program);
        other.args(["f60_another_user", "--nocapture", "--test-threads=1"]).env(PORT, &terminal.path);
        other.env("RUST_BACKTRACE", "0").current_dir("/");
        if rustix::process::geteuid().is_root() {
            other.uid(65534).gid(65534);
        }
        let said = other.output();
        std::fs::remove_file(&program).unwrap();
        let said = String::from_utf8(said.unwrap().stderr).unwrap();
        let own = std::fs::read_to_string("/proc/self/comm").unwrap();
        let holder = format!("{} (process {})", own.trim(), std::process::id());
        assert!(said.contains(&format!("{} is in use by {holder}", terminal.path.display())), "{said}");
        drop(first);
    }

    #[tokio::test]
    async fn f59_a_link_is_followed_anew_at_each_opening() {
        let (before, after) = (Terminal::new(), Terminal::new());
        let link = std::env::temp_dir().join(format!("at-port-test-link-{}", std::process::id()));
        let address: Address = link.display().to_string().parse().unwrap();
        for terminal in [&before, &after] {
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(&terminal.path, &link).unwrap();
            let mut port = open(&address, Line::default()).await.unwrap();
            port.write_all(b"AT\r").await.unwrap();
            assert_eq!(terminal.read_exactly(3).await, b"AT\r");
        }
        std::fs::remove_file(&link).unwrap();
        assert!(matches!(open(&address, Line::default()).await, Err(OpenError::NotFound { .. })));
    }

    #[tokio::test]
    async fn what_is_no_serial_port_is_told_apart() {
        let missing = open_serial(Path::new("/dev/no-such-port"));
        assert!(matches!(missing, Err(OpenError::NotFound { address }) if address == "/dev/no-such-port"));
        for path in [std::env::current_exe().unwrap(), std::env::temp_dir(), PathBuf::from("/dev/null")] {
            let opened = open_serial(&path);
            assert!(matches!(opened, Err(OpenError::NotSerial { .. })), "{path:?}: {opened:?}");
        }
    }

    #[tokio::test]
    async fn f58_a_terminal_that_hangs_up_ends_the_port() {
        let terminal = Terminal::new();
        let address: Address = terminal.path.display().to_string().parse().unwrap();
        let connection = open(&address, Line::default()).await.unwrap();
        assert!(matches!(connection, Connection::Serial(_)));
        let (port, driver) = Port::new(connection, PlainRules::boxed(), PortOptions::default());
        let driver = tokio::spawn(driver);
        assert_eq!(terminal.read_exactly(9).await, b"AT+CMEE?\r");
        terminal.write(b"\r\n+CMEE: 0\r\n\r\nOK\r\n");
        port.link().wait_for(|link| *link == LinkState::Synced).await.unwrap();
        drop(terminal);
        let error = tokio::time::timeout(GENEROUS, driver).await.unwrap().unwrap();
        assert!(matches!(error, PortError::HungUp | PortError::Io(_)), "{error:?}");
    }
}
