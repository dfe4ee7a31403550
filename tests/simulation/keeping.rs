//! Who brings back what was lost: the library, or else the harness as an application would.

use std::time::Duration;

use async_trait::async_trait;
use mqtt_at::at::{PortEvent, SessionOptions};
use mqtt_at::{
    Client, ClientStatus, ConnectOptions, Error, Modem, ModemOptions, Published, QoS, ResetHook,
    Subscription, Supervision,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};
use virtual_modem::{ByteLink, Reboot, VirtualModem};

use crate::counted::Counted;
use crate::history::CANARY;
use crate::world::{LONGEST_CONNECT, World};

/// Somebody who presses the power key.
struct PowerKey(VirtualModem);

#[async_trait]
impl ResetHook for PowerKey {
    async fn reset(&self) -> std::io::Result<()> {
        self.0.reboot(Reboot::Loud);
        sleep(Duration::from_secs(5)).await;
        Ok(())
    }
}

impl World {
    /// Opens the modem; what is lost afterwards the library brings back.
    pub async fn keep_open(&self) {
        if !self.supervised {
            return self.keep_open_by_hand().await;
        }
        loop {
            self.history.count(|counts| counts.openings += 1);
            let supervision = Supervision::new()
                .seed(self.seed)
                .delays(Duration::from_secs(1), Duration::from_secs(60))
                .reset_hook(PowerKey(self.module.clone()));
            let options = ModemOptions::new().tap(self.history.clone()).supervision(supervision);
            let (module, line, history) = (self.module.clone(), self.line.clone(), self.history.clone());
            let connect = move || {
                history.new_port();
                let line = ByteLink::at_host(module.duplex(), line.clone());
                async move { Ok(line) }
            };
            let (opening, driver) = Modem::through(connect, options);
            let driver = tokio::spawn(Counted::new(driver, self.history.clone()));
            match self.bounded("opening", opening).await {
                Some(Ok(modem)) => {
                    self.history.note("open", "");
                    self.modem.set(Some(modem));
                    let end = driver.await;
                    self.history.violate(format!("supervision has ended: {end:?}"));
                    return;
                }
                Some(Err(error)) => self.history.tell("not open", &error),
                None => {}
            }
            // A module that hung is switched on again by somebody.
            self.module.reboot(Reboot::Loud);
            let _ = timeout(Duration::from_secs(36), self.module.run_unattended()).await;
        }
    }

    /// Connects a client; what is lost afterwards the library brings back.
    pub async fn keep_connected(&self, number: usize, mut subscribed: impl FnMut(Subscription)) {
        if !self.supervised {
            return self.keep_connected_by_hand(number, subscribed).await;
        }
        let modem = self.modem().await;
        let client = loop {
            match self.connect(&modem, number).await {
                Some(client) => break client,
                None => sleep(Duration::from_secs(2)).await,
            }
        };
        loop {
            match self.bounded("subscribing", client.subscribe_all(self.filters(number))).await {
                Some(Ok(subscription)) => break subscribed(subscription),
                Some(Err(error)) => self.history.tell("no sub", &error),
                None => {}
            }
            sleep(Duration::from_secs(2)).await;
        }
        self.clients[number].set(Some(client));
        std::future::pending().await
    }

    /// Every client listens to its successor, and to the world outside.
    fn filters(&self, number: usize) -> [(String, QoS); 2] {
        let next = (number + 1) % self.clients.len();
        [format!("c{next}/#"), format!("out/{number}/+")].map(|filter| (filter, QoS::ExactlyOnce))
    }

    /// Opens the modem, and opens it again whenever its port has come to an end.
    async fn keep_open_by_hand(&self) {
        let mut failures = 0;
        let mut is_first = true;
        loop {
            self.history.count(|counts| counts.openings += 1);
            let mut session = SessionOptions::default();
            if !std::mem::take(&mut is_first) {
                // The former host may have left in the middle of a payload.
                session.hold_off = Duration::from_secs(36);
            }
            let options = ModemOptions::new()
                .tap(self.history.clone())
                .session(session)
                .supervision(Supervision::off());
            self.history.new_port();
            let io = ByteLink::at_host(self.module.duplex(), self.line.clone());
            let (opening, driver) = Modem::over(io, options);
            let driver = tokio::spawn(Counted::new(driver, self.history.clone()));
            match self.bounded("opening", opening).await {
                Some(Ok(modem)) => {
                    failures = 0;
                    self.history.note("open", "");
                    let mut events = modem.port_events();
                    self.modem.set(Some(modem.clone()));
                    let rebooted = async {
                        // Echo that is back is all that shows a reboot without a word. Either way the module has
                        // lost its settings, and there is nobody else to make them again.
                        loop {
                            match events.recv().await {
                                Ok(PortEvent::UnexpectedEcho | PortEvent::Reboot) => break,
                                Err(RecvError::Closed) => return std::future::pending::<()>().await,
                                Ok(_) | Err(RecvError::Lagged(_)) => {}
                            }
                        }
                        self.history.note("restarted", "");
                        self.modem.set(None);
                        modem.close();
                        std::future::pending::<()>().await;
                    };
                    let end = tokio::select! {
                        biased;
                        end = driver => end,
                        () = rebooted => continue,
                    };
                    self.modem.set(None);
                    match end {
                        Ok(end) => self.history.tell("port", &end),
                        Err(error) => self.history.violate(format!("I9: the driver panicked: {error}")),
                    }
                }
                Some(Err(error)) => {
                    self.history.tell("not open", &error);
                    failures += 1;
                    if failures >= 2 {
                        // A person, or a relay, would press the power key now.
                        self.history.note("power key", "");
                        self.module.reboot(Reboot::Loud);
                        failures = 0;
                    }
                }
                None => {}
            }
            // Time goes on for the module while the port is closed.
            let _ = timeout(Duration::from_secs(1), self.module.run_unattended()).await;
        }
    }

    /// Connects a client, and connects it again whenever its connection is lost.
    async fn keep_connected_by_hand(&self, number: usize, mut subscribed: impl FnMut(Subscription)) {
        loop {
            let modem = self.modem().await;
            if let Some(client) = self.connect(&modem, number).await {
                match self.bounded("subscribing", client.subscribe_all(self.filters(number))).await {
                    Some(Ok(subscription)) => {
                        subscribed(subscription);
                        self.clients[number].set(Some(client.clone()));
                        self.watch_over(&client, number).await;
                        self.clients[number].set(None);
                    }
                    Some(Err(error)) => self.history.tell("no sub", &error),
                    None => {}
                }
                self.say_farewell(&client).await;
            }
            sleep(Duration::from_secs(2)).await;
        }
    }

    async fn connect(&self, modem: &Modem, number: usize) -> Option<Client> {
        self.history.count(|counts| counts.connections += 1);
        let name = format!("c{number}");
        let options = ConnectOptions::new(&name, "broker.example.com", 1883)
            .credentials("gateway", format!("{CANARY}-{number}"))
            .keep_alive(Duration::from_secs(60));
        match self.bounded_by(LONGEST_CONNECT, "connecting", modem.connect(options)).await? {
            Ok(client) => {
                self.history.note("connected", name);
                Some(client)
            }
            Err(error) => {
                self.history.tell("refused", &error);
                None
            }
        }
    }

    /// Waits for the end of a connection, or for the wish to have another.
    async fn watch_over(&self, client: &Client, number: usize) {
        let mut status = client.status();
        let lost = async {
            let lost = status.wait_for(|status| !matches!(status, ClientStatus::Connected)).await;
            let status = lost.map(|status| status.clone());
            self.history.tell("lost", &(number, status));
        };
        tokio::select! {
            biased;
            () = lost => {}
            () = self.renewals[number].notified() => self.history.note("renew", ""),
        }
    }

    /// A result that is missing for good keeps a client from publishing until its connection is made anew.
    pub fn renew_if_in_doubt(&self, number: usize, result: &Result<Published, Error>) {
        if !self.supervised && matches!(result, Err(Error::InDoubt)) {
            self.renewals[number].notify_one();
        }
    }

    async fn say_farewell(&self, client: &Client) {
        if let Some(Err(error)) = self.bounded("the farewell", client.disconnect()).await {
            self.history.tell("farewell", &error);
        }
    }
}
