//! How long the library takes to come back, in virtual time.

use std::time::Duration;

use virtual_modem::{Entry, Record};

/// The commands with which each vendor's clients sign in.
const SIGN_IN: [&[u8]; 4] = [b"+QMTCONN=", b"+CMQTTCONNECT=", b"+MQTTOPEN=", b"+MQTTCONN="];

/// From each reboot to the first client that signs in again.
pub fn after_reboots(log: &[Record]) -> Vec<Duration> {
    let mut rebooted = None;
    let mut times = Vec::new();
    for record in log {
        match &record.entry {
            Entry::Reboot => rebooted = Some(record.at),
            Entry::Understood(command) if SIGN_IN.iter().any(|it| command.text.starts_with(it)) => {
                times.extend(rebooted.take().map(|at| record.at.saturating_sub(at)));
            }
            _ => {}
        }
    }
    times
}

/// The time that so many in a thousand do not exceed.
pub fn quantile(times: &mut [Duration], per_mille: usize) -> Duration {
    times.sort_unstable();
    times
        .get((times.len() * per_mille / 1000).min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
