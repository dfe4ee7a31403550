//! Full-stack simulations per second: client, port, virtual module, broker, faults.

use mqtt_at::{ConnectOptions, Modem, ModemOptions, Outgoing, QoS};
use virtual_modem::{Action, Broker, Fault, Hook, MemoryBroker, Vendor, VirtualModem};

use crate::report::{Kind, Report};
use crate::stopwatch::time;
use crate::wire::in_virtual_time;

const GOAL: f64 = 50.0;
const PUBLISHES: usize = 50;

pub(crate) fn run(report: &mut Report) {
    report.heading("Simulation");
    let seeds = report.choose(300, 10);
    let (delivered, took) = time(|| (0..seeds).map(simulate).sum::<usize>());
    let rate = seeds as f64 / took.as_secs_f64();
    let what = format!("full-stack seeds of {PUBLISHES} publishes with faults, per second and core");
    let result =
        format!("{rate:.0} ({:.0} % delivered)", 100.0 * delivered as f64 / (seeds * PUBLISHES) as f64);
    let goal = report.goal(Kind::Timed, what, "≥ 50", result, rate >= GOAL);
    report.table(&[Report::goal_head(), goal]);
}

/// One life of a modem; says how many publishes were delivered.
fn simulate(seed: usize) -> usize {
    in_virtual_time(async {
        let vendors = [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];
        let broker = Broker::Memory(MemoryBroker::new());
        let mut builder =
            VirtualModem::builder(vendors[seed % vendors.len()]).broker(broker).seed(seed as u64);
        for occasion in 0..5 {
            let at = u32::try_from(20 + occasion * 15 + seed % 11).unwrap_or_default();
            let action = match (seed + occasion) % 4 {
                0 => Action::Silence,
                1 => Action::Error,
                2 => Action::Delay(std::time::Duration::from_secs(3)),
                _ => Action::Duplicate,
            };
            builder = builder.fault(Fault::new(Hook::BeforeFinal, action).occasion(at));
        }
        let module = builder.build().expect("the vendor is there");
        let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new());
        tokio::spawn(driver);
        let Ok(modem) = opening.await else { return 0 };
        let Ok(client) = modem.connect(ConnectOptions::new("seed", "broker.example.com", 1883)).await else {
            return 0;
        };
        let mut delivered = 0;
        for number in 0..PUBLISHES {
            let message = Outgoing::new("seed", QoS::AtLeastOnce, number.to_string());
            let outcome = client.publish(message.topic, message.qos, false, message.payload).await;
            delivered += usize::from(outcome.is_ok());
        }
        delivered
    })
}
