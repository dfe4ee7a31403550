//! `mqttat doctor`

use std::sync::Arc;
use std::time::Duration;

use mqtt_at::common::{FlowControl, LineControl, LineControls};
use mqtt_at::{Modem, Quirk, Step};

use super::Context;
use crate::args::doctor::Doctor;
use crate::args::global::{Flow, VendorChoice};
use crate::args::{Device, Global};
use crate::device::{Opened, Wishes, default_host};
use crate::failure::Failure;

mod broker;
mod checklist;
mod opening;
mod radio;

use checklist::{Check, Checklist};
use opening::Witness;

// What is looked at before the network, in this order.
const PORT: &str = "port";
const ANSWER: &str = "answer";
const ECHO: &str = "echo";
const IDENTITY: &str = "identity";
const QUIRKS: &str = "quirks";
const LEFT_OVER: &str = "left over";
const FLOW: &str = "flow control";

/// A port that was closed a moment ago may still be on its way to the system.
const CLOSING: Duration = Duration::from_secs(2);

pub(super) async fn run(args: &Doctor, context: &Context) -> Result<(), Failure> {
    let host = args.connection.host.as_deref().or(default_host(&context.global));
    // What is wrong with the options is told before the module is opened.
    let connection = host.map(|host| args.connection.options(Some(host))).transpose()?;
    let mut list = Checklist::new(context.global.json);
    let Some(patient) = Patient::open(context, &mut list).await? else { return list.finish() };
    patient.flow_control(context, &mut list).await?;
    let is_attached = radio::examine(&patient, context, &mut list).await?;
    match host.zip(connection) {
        None => list.skip(broker::CHECKS, "no broker was named: name one with -h")?,
        Some(_) if !is_attached => list.skip(broker::CHECKS, "there is no data connection")?,
        Some((host, options)) => broker::examine(&patient, host, options, &mut list).await?,
    }
    patient.opened.close()?;
    list.finish()
}

/// A module that can be examined.
struct Patient {
    opened: Opened,
    witness: Witness,
    /// At which step it could not be attached to the network, and why.
    unattached: Option<(Step, Failure)>,
}

impl Patient {
    /// Opens the module with as much of the network as there is; `None` if nothing more can be examined.
    async fn open(context: &Context, list: &mut Checklist) -> Result<Option<Self>, Failure> {
        let witness = Witness::new();
        let opened = open(context, &witness, false).await;
        let last = witness.seen().last.clone();
        let patient = match (opened, last) {
            (Ok(opened), _) => Self { opened, witness, unattached: None },
            (Err(failure), _) if failure.is_usage() => return Err(failure),
            (Err(failure), Some(step @ (Step::Sim | Step::Register(_) | Step::Activate))) => {
                // What does not depend on the network is looked at all the same.
                let opened = open_again(context, &witness).await?;
                Self { opened, witness, unattached: Some((step, failure)) }
            }
            (Err(failure), last) => {
                context.progress.done();
                not_opened(last.as_ref(), &failure, &witness, &context.global, list)?;
                return Ok(None);
            }
        };
        context.progress.done();
        patient.opening(context, list)?;
        Ok(Some(patient))
    }

    /// What was found while the module was opened.
    fn opening(&self, context: &Context, list: &mut Checklist) -> Result<(), Failure> {
        let modem = &self.opened.modem;
        reached(&self.witness, &context.global, list)?;
        let identity = modem.identity();
        let (vendor, told) = (modem.vendor(), identity.vendor());
        list.note(&match (context.global.vendor, told) {
            (VendorChoice::Named(named), Some(told)) if named != told => Check::warning(
                IDENTITY,
                format!("{identity}, spoken to as {named}"),
                "leave --vendor out: it says itself who it is",
            ),
            _ => Check::ok(IDENTITY, format!("{identity}, spoken to as {vendor}")),
        })?;
        let quirks: Vec<_> = Quirk::known_of(vendor, identity).iter().map(ToString::to_string).collect();
        let quirks =
            if quirks.is_empty() { "none are known of this model".to_owned() } else { quirks.join("; ") };
        list.note(&Check::ok(QUIRKS, quirks))?;
        let closed = self.witness.seen().closed.clone();
        list.note(&Check::ok(
            LEFT_OVER,
            if closed.is_empty() {
                "no connection of an earlier program".to_owned()
            } else {
                format!("an earlier program left a connection; it was closed with {}", closed.join(", "))
            },
        ))
    }

    /// Whether both ends of the line mean the same.
    async fn flow_control(&self, context: &Context, list: &mut Checklist) -> Result<(), Failure> {
        let modem: &Modem = &self.opened.modem;
        let is_serial =
            matches!(&context.global.device, Some(Device::Port(path)) if !path.starts_with("tcp://"));
        let Ok(LineControls { by_host, by_module }) = modem.send(FlowControl).await else {
            return list.note(&Check::skipped(FLOW, "the module does not tell"));
        };
        let both = [by_host, by_module];
        list.note(&if both.contains(&LineControl::Characters) {
            Check::warning(
                FLOW,
                "the module takes the bytes 0x11 and 0x13 out of payloads (XON/XOFF)",
                "switch it off: mqttat at AT+IFC=0,0",
            )
        } else if !is_serial || context.global.flow == Flow::RtsCts {
            let module = if both.contains(&LineControl::Lines) { "RTS/CTS" } else { "none" };
            Check::ok(FLOW, format!("{module} on the module"))
        } else if both.contains(&LineControl::Lines) {
            Check::warning(
                FLOW,
                "RTS/CTS on the module, none on this port",
                "use --flow rtscts if the wires are there, or switch it off: mqttat at AT+IFC=0,0",
            )
        } else {
            Check::ok(
                FLOW,
                "none on either end; at high speeds --flow rtscts prevents losses where the wires are there",
            )
        })
    }
}

async fn open(context: &Context, witness: &Witness, leave_network: bool) -> Result<Opened, Failure> {
    let steps = witness.clone();
    let wishes = Wishes {
        leave_network,
        tap: Some(Box::new(witness.clone())),
        on_step: Some(Arc::new(move |step| steps.step(step))),
        ..Wishes::default()
    };
    context.open(wishes).await
}

/// Opens the module a second time, with the network left as it is.
async fn open_again(context: &Context, witness: &Witness) -> Result<Opened, Failure> {
    let deadline = tokio::time::Instant::now() + CLOSING;
    loop {
        match open(context, &witness.silent(), true).await {
            Err(_) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome,
        }
    }
}

/// That the port is there and the module answers.
fn reached(witness: &Witness, global: &Global, list: &mut Checklist) -> Result<(), Failure> {
    let seen = witness.seen();
    list.note(&Check::ok(PORT, port_words(global)))?;
    let after = seen.answered_after.unwrap_or_default();
    list.note(&Check::ok(ANSWER, format!("in step after {:.1} s", after.as_secs_f64())))?;
    let echo = if seen.echo { "was on, and is switched off" } else { "is off" };
    list.note(&Check::ok(ECHO, echo))
}

/// What is found of a module that could not be opened, by the step that failed.
fn not_opened(
    last: Option<&Step>,
    failure: &Failure,
    witness: &Witness,
    global: &Global,
    list: &mut Checklist,
) -> Result<(), Failure> {
    let rest = [ANSWER, ECHO, IDENTITY, QUIRKS, LEFT_OVER, FLOW];
    let rest = match last {
        None => {
            list.fail(PORT, failure)?;
            &rest[..]
        }
        Some(Step::Synchronise) => {
            list.note(&Check::ok(PORT, port_words(global)))?;
            list.fail(ANSWER, failure)?;
            rest.get(1..).unwrap_or_default()
        }
        Some(_) => {
            reached(witness, global, list)?;
            list.fail(IDENTITY, failure)?;
            rest.get(3..).unwrap_or_default()
        }
    };
    let why = "the module could not be opened";
    list.skip(rest, why)?;
    list.skip(radio::CHECKS, why)?;
    list.skip(broker::CHECKS, why)
}

fn port_words(global: &Global) -> String {
    match &global.device {
        Some(Device::Port(address)) if address.starts_with("tcp://") => format!("{address} is connected"),
        Some(Device::Port(path)) => {
            let flow = if global.flow == Flow::RtsCts { ", RTS/CTS" } else { "" };
            format!("{path} is open, {} baud{flow}", global.baud.unwrap_or(115_200))
        }
        Some(Device::Simulated(vendor)) => format!("a virtual {vendor} module in this process"),
        Some(Device::Played(file)) => format!("the module's side of {}", file.display()),
        None => String::new(),
    }
}
