//! Module, line, broker and modem of a run, and who brings back what was lost.

use std::future::Future;
use std::time::Duration;

use mqtt_at::at::LinkState;
use mqtt_at::{Client, Error, Modem, ModemState, QoS};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use virtual_modem::{
    Action, Broker, ByteFaults, Fault, FaultPlan, Hook, MemoryBroker, Quirk, Vendor, VirtualModem, Way,
};

use crate::history::History;
use crate::plan::{PROMPT_PATIENCE, Plan};
use crate::slot::Slot;

/// I8: nothing that is called may take longer, but for connecting.
pub const LONGEST_CALL: Duration = Duration::from_secs(600);
/// Both clients of a SIMCom module may wait, one behind the other, until its service has not started for six minutes.
pub const LONGEST_CONNECT: Duration = Duration::from_secs(1200);
/// The same where bytes are lost and altered: connecting is up to twenty commands, and each of them may lose its answer
/// and wait for its full time.
const LONGEST_GARBLED_CALL: Duration = Duration::from_secs(1800);

/// What the module says of itself; no two are alike.
pub const IMEI: &str = "860000000000011";
pub const REVISION: &str = "SIMULATION01";

/// Shared by all tasks of a run.
pub struct World {
    pub module: VirtualModem,
    pub broker: MemoryBroker,
    pub line: ByteFaults,
    pub history: History,
    pub corrupts: bool,
    interrupts: bool,
    pub(crate) supervised: bool,
    pub(crate) seed: u64,
    pub(crate) modem: Slot<Modem>,
    pub(crate) clients: Vec<Slot<Client>>,
    /// Asks for a new connection of a client.
    pub(crate) renewals: Vec<Notify>,
}

impl World {
    pub fn new(plan: &Plan, history: History) -> Self {
        let broker = MemoryBroker::new();
        let mut builder = VirtualModem::builder(plan.vendor)
            .broker(Broker::Memory(broker.clone()))
            .baud(plan.baud)
            .rtt(plan.rtt)
            .seed(plan.seed)
            .imei(IMEI)
            .revision(REVISION);
        // The only manual that knows a limit is Neoway's; waiting for ever could not be recovered from.
        if plan.vendor != Vendor::Neoway {
            builder = builder.quirk(Quirk::PromptTimeout(PROMPT_PATIENCE));
        }
        let cut = |faults: FaultPlan, occasion: &u32| {
            faults.with(Fault::new(Hook::InsideMessage, Action::Chatter).occasion(*occasion))
        };
        let faults = plan.interrupted.iter().fold(FaultPlan::new(), cut);
        let faults = match &plan.module {
            Some(swarm) => faults.swarm(swarm.clone()),
            None => faults,
        };
        builder = builder.faults(faults);
        let ways = [Way::ToHost, Way::ToModule].into_iter().zip(&plan.line);
        let line = ways.fold(ByteFaults::new(), |line, (way, swarm)| match swarm {
            Some(swarm) => line.swarm(way, swarm.clone()),
            None => line,
        });
        Self {
            module: builder.build().expect("a module can be built"),
            broker,
            line,
            history,
            corrupts: plan.corrupts,
            interrupts: plan.interrupts,
            supervised: plan.supervised,
            seed: plan.seed,
            modem: Slot::new(),
            clients: (0..plan.clients).map(|_| Slot::new()).collect(),
            renewals: (0..plan.clients).map(|_| Notify::new()).collect(),
        }
    }

    /// The modem, when there is one.
    pub async fn modem(&self) -> Modem {
        self.modem.there().await
    }

    /// A client, when it is connected.
    pub async fn client(&self, number: usize) -> Client {
        self.clients[number].there().await
    }

    /// What every payload ends with.
    pub fn tail(&self) -> &'static [u8] {
        if self.interrupts { &[b'z'; 64] } else { b"" }
    }

    /// Ends the faults, and undoes what a person would have to undo.
    pub fn calm(&self) {
        self.module.clear_faults();
        self.line.clear();
        self.module.black_hole(false);
        self.module.insert_sim();
        self.module.set_registration(1);
    }

    /// Holds a call to its bound (I8).
    pub async fn bounded<T>(&self, what: &str, call: impl Future<Output = T>) -> Option<T> {
        self.bounded_by(LONGEST_CALL, what, call).await
    }

    pub async fn bounded_by<T>(
        &self,
        longest: Duration,
        what: &str,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        let longest = if self.corrupts { LONGEST_GARBLED_CALL } else { longest };
        let outcome = timeout(longest, call).await.ok();
        if outcome.is_none() {
            self.history.violate(format!("I8: {what} did not return within {longest:?}"));
        }
        outcome
    }

    /// Without faults everything works again, within ten minutes. Without supervision somebody restarts the program.
    pub async fn recover(&self) -> Option<Duration> {
        if let Some(modem) = self.modem.now().filter(|_| !self.supervised) {
            modem.close();
        }
        let start = Instant::now();
        let recovered = timeout(LONGEST_CALL, async {
            for number in 0..self.clients.len() {
                while !self.works(number).await {
                    sleep(Duration::from_secs(1)).await;
                }
            }
            let modem = self.modem().await;
            let _ = modem.link().wait_for(|link| *link == LinkState::Synced).await;
        });
        let outcome = recovered.await;
        match outcome {
            Ok(()) => self.history.note("recovered", format!("{:?}", start.elapsed())),
            Err(_) if self.corrupts && self.is_other_module() => self.history.note("other", ""),
            Err(_) if self.corrupts && self.is_set_otherwise() => self.history.note("set", ""),
            Err(_) => {
                let modem = self.modem.now().map(|modem| *modem.link().borrow());
                let clients: Vec<bool> = self.clients.iter().map(|it| it.now().is_some()).collect();
                self.history.violate(format!(
                    "liveness: ten minutes after the last fault not everything works: link {modem:?}, \
                     clients {clients:?}"
                ));
            }
        }
        outcome.ok().map(|()| start.elapsed())
    }

    /// A name that was garbled when the modem was opened is not the module's name now: somebody has to look.
    fn is_other_module(&self) -> bool {
        let state = self.modem.now().map(|modem| modem.state().borrow().clone());
        matches!(state, Some(ModemState::Down(Error::OtherModule { .. }) | ModemState::Recovering(_)))
    }

    /// A setting whose digit was altered on its way, and which the module has accepted, holds for this connection.
    fn is_set_otherwise(&self) -> bool {
        let settings = self.module.settings();
        let is_otherwise = |name: &str, value: &str| {
            name.contains("dataformat") && value != "0,0" || name.contains("send/mode") && value != "0"
        };
        settings.iter().any(|(name, value)| is_otherwise(name, value))
    }

    async fn works(&self, number: usize) -> bool {
        let client = self.client(number).await;
        let payload = format!("{number} works at {:?}", self.history.elapsed());
        let outcome = client.publish(format!("alive/{number}"), QoS::AtLeastOnce, false, payload).await;
        self.renew_if_in_doubt(number, &outcome);
        outcome.inspect_err(|error| self.history.tell("not yet", error)).is_ok()
    }
}
