//! `mqttat info`

use std::io::Write;
use std::net::IpAddr;

use mqtt_at::{Identity, Limits, NetworkStatus, Vendor};
use serde::Serialize;

use super::Context;
use crate::device::Wishes;
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let opened = context.open(Wishes::hands_off()).await?;
    let modem = &opened.modem;
    let network = modem.network().await?;
    context.progress.done();
    let report = Report::new(modem.vendor(), modem.identity(), &network, &modem.limits());
    if context.global.json {
        output::print_json(&report)?;
    } else {
        output::print(|out| {
            report.rows().iter().try_for_each(|(key, value)| writeln!(out, "{key}: {value}"))
        })?;
    }
    opened.close()
}

/// All that is known; what the module does not tell is null in JSON, and left out otherwise.
#[derive(Debug, Serialize)]
struct Report {
    vendor: String,
    manufacturer: Option<String>,
    model: Option<String>,
    revision: Option<String>,
    imei: Option<String>,
    sim: Option<String>,
    signal_dbm: Option<i16>,
    registration: Option<String>,
    operator: Option<String>,
    technology: Option<String>,
    addresses: Vec<IpAddr>,
    limits: MqttLimits,
}

#[derive(Debug, Serialize)]
struct MqttLimits {
    first_client: u8,
    last_client: u8,
    window: usize,
    payload_bytes: usize,
    empty_payload: bool,
    topic_bytes: usize,
}

impl Report {
    fn new(vendor: Vendor, identity: &Identity, network: &NetworkStatus, limits: &Limits) -> Self {
        let operator = network.operator.as_ref();
        Self {
            vendor: vendor.to_string(),
            manufacturer: identity.manufacturer.clone(),
            model: identity.model.clone(),
            revision: identity.revision.clone(),
            imei: identity.imei.map(|imei| imei.to_string()),
            sim: network.sim.as_ref().map(ToString::to_string),
            signal_dbm: network.signal.and_then(|signal| signal.rssi_dbm),
            registration: network.registration.map(|state| state.to_string()),
            operator: operator.and_then(|operator| operator.name.clone()),
            technology: operator.and_then(|operator| operator.technology).map(|kind| kind.to_string()),
            addresses: network.addresses.clone(),
            limits: MqttLimits {
                first_client: *limits.clients.start(),
                last_client: *limits.clients.end(),
                window: limits.window,
                payload_bytes: limits.payload,
                empty_payload: limits.empty_payload,
                topic_bytes: limits.topic,
            },
        }
    }

    /// Keys and values, for people. What came from the module does nothing to the terminal.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let limits = &self.limits;
        let addresses = self.addresses.iter().map(ToString::to_string);
        let rows = [
            ("vendor", Some(self.vendor.clone())),
            ("manufacturer", self.manufacturer.clone()),
            ("model", self.model.clone()),
            ("revision", self.revision.clone()),
            ("imei", self.imei.clone()),
            ("sim", self.sim.clone()),
            ("signal", self.signal_dbm.map(|dbm| format!("{dbm} dBm"))),
            ("registration", self.registration.clone()),
            ("operator", self.operator.clone()),
            ("technology", self.technology.clone()),
        ];
        let told = rows.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let computed = [
            ("mqtt clients", format!("{} to {}", limits.first_client, limits.last_client)),
            ("mqtt publishes in flight", limits.window.to_string()),
            ("mqtt payload", format!("{} bytes at most", limits.payload_bytes)),
            ("mqtt empty payload", if limits.empty_payload { "yes" } else { "no" }.to_owned()),
            ("mqtt topic", format!("{} bytes at most", limits.topic_bytes)),
        ];
        let rows = told.chain(addresses.map(|address| ("address", address))).chain(computed);
        rows.map(|(key, value)| (key, value.chars().filter(|it| !it.is_control()).collect())).collect()
    }
}
