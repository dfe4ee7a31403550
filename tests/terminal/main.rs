//! The library on serial ports, as far as pseudo terminals are some, in real time.

#![cfg(unix)]
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;
use std::time::Duration;

use mqtt_at::at::OpenError;
use mqtt_at::{ConnectOptions, Error, Modem, ModemOptions, QoS};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use virtual_modem::{Broker, Builder, MemoryBroker, PtyLink, Vendor, VirtualModem};

/// What may take long on a machine that is busy, and never does otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

const VENDORS: [Vendor; 4] = [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];

/// A module that can be plugged in, and a link to its port as systems make them for each device.
struct Board {
    module: VirtualModem,
    broker: MemoryBroker,
    link: PathBuf,
    plugged: Option<JoinHandle<()>>,
}

impl Board {
    fn new(name: &str, vendor: Vendor, change: impl FnOnce(Builder) -> Builder) -> Self {
        let broker = MemoryBroker::new();
        let builder = VirtualModem::builder(vendor).broker(Broker::Memory(broker.clone()));
        let link = std::env::temp_dir().join(format!("mqtt-at-{name}-{vendor}-{}", std::process::id()));
        Self { module: change(builder).build().unwrap(), broker, link, plugged: None }
    }

    fn device(&self) -> &str {
        self.link.to_str().unwrap()
    }

    /// Plugs it in, under whatever name the system has for it now; gives that name.
    fn plug_in(&mut self) -> PathBuf {
        let terminal = PtyLink::open(Some(&self.link)).unwrap();
        let name = std::fs::read_link(&self.link).unwrap();
        let module = self.module.clone();
        // The terminal goes with the task.
        self.plugged = Some(tokio::spawn(async move { terminal.serve(&module).await.unwrap() }));
        name
    }

    async fn unplug(&mut self) {
        let plugged = self.plugged.take().unwrap();
        plugged.abort();
        plugged.await.unwrap_err();
    }

    fn accepted(&self) -> Vec<Vec<u8>> {
        self.broker.ledger().accepted.iter().map(|message| message.payload.to_vec()).collect()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // It is gone already if the terminal went first.
        let _ = std::fs::remove_file(&self.link);
    }
}

fn options() -> ConnectOptions {
    ConnectOptions::new("gateway", "broker.example.com", 1883)
}

#[tokio::test]
async fn f59_a_module_that_comes_back_under_another_name_is_used_again() {
    for vendor in VENDORS {
        let mut board = Board::new("replug", vendor, |builder| builder);
        let before = board.plug_in();
        let modem = Modem::open(board.device()).await.unwrap();
        let client = modem.connect(options()).await.unwrap();
        let mut messages = client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
        client.publish("t", QoS::AtLeastOnce, false, "before").await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap().payload(), "before".as_bytes());

        // Its old name is taken while it is away, so that it must get another.
        let taken = board.plugged.take().unwrap();
        let after = board.plug_in();
        assert_ne!(before, after);
        taken.abort();
        taken.await.unwrap_err();

        let published = timeout(PATIENCE, async {
            // What was caught by the unplugging may fail, and says so.
            while client.publish("t", QoS::AtLeastOnce, false, "after").await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        published.await.unwrap_or_else(|_| panic!("{vendor}: it does not come back"));
        let again = timeout(PATIENCE, messages.next()).await.expect("the subscription works again");
        assert_eq!(again.unwrap().unwrap().payload(), "after".as_bytes(), "{vendor}");
        assert_eq!(board.accepted(), [&b"before"[..], b"after"], "{vendor}");
        modem.close();
        board.unplug().await;
    }
}

#[tokio::test]
async fn f60_an_opening_that_fails_gives_the_port_back_before_it_says_so() {
    // One of whom nobody knows the maker, and one whose SIM wants a PIN.
    let mut stranger = Board::new("stranger", Vendor::Quectel, |builder| {
        builder.manufacturer("Nobody").model("N0").revision("R0")
    });
    let mut locked = Board::new("locked", Vendor::Quectel, |builder| builder.sim_pin("1234"));
    for board in [&mut stranger, &mut locked] {
        board.plug_in();
        let error = Modem::open(board.device()).await.unwrap_err();
        assert!(matches!(error, Error::Input(_) | Error::Network(_)), "{error:?}");
        let open = || {
            let options = ModemOptions::new().vendor(mqtt_at::Vendor::Quectel).attach(false);
            Modem::open_with(board.device(), options)
        };
        let modem = open().await.unwrap_or_else(|error| panic!("the port is not free: {error:?}"));
        // While it is open nobody else gets it, and is told who has it.
        let Err(Error::Open(error)) = open().await else { panic!("it is in use") };
        assert!(matches!(&*error, OpenError::Busy { holder, .. } if holder == "this process"), "{error}");
        modem.close();
        board.unplug().await;
    }
}
