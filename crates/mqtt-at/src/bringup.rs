//! From a port of which nothing is known to a module that is identified and has a data connection.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::command::Command;
use crate::common::{
    Domain, EchoOff, EnterPin, ErrorDetail, Information, LineControls, Manufacturer, Model, Operator,
    PdpAddress, Registration, RegistrationState, Revision, SelectedOperator, SerialNumber, SetErrorReporting,
    SetFlowControl, Signal, SignalQuality, SimState, SimStatus, Versions,
};
use crate::detect;
use crate::dialect::{self, Dialect, ModemPort, send};
use crate::error::{Error, NetworkError, Result};
use crate::identity::Identity;
use crate::options::{ModemOptions, Progress, Step};
use crate::secret::Secret;

#[cfg(test)]
pub(crate) mod script;
#[cfg(test)]
mod tests;

/// The radio network as the module sees it; what it does not tell is `None`.
///
/// [`Modem`](crate::Modem) has an example.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NetworkStatus {
    /// What the SIM is waiting for.
    pub sim: Option<SimStatus>,
    /// How well the radio receives.
    pub signal: Option<Signal>,
    /// The registration that is of most use for data.
    pub registration: Option<RegistrationState>,
    /// The operator.
    pub operator: Option<SelectedOperator>,
    /// The addresses of the data connections that are active.
    pub addresses: Vec<IpAddr>,
}

/// How long a SIM may take to become ready; seen are 2 to 4 s after power-on.
const SIM_PATIENCE: Duration = Duration::from_secs(15);
/// How long a refusal of the network has to last: a module with several networks to try reports each of them.
const DENIED_PATIENCE: Duration = Duration::from_secs(10);
/// For how long a module has to refuse every question for its registration until it is taken not to know any.
const UNTOLD_PATIENCE: Duration = Duration::from_secs(10);
/// The time between two questions for a state that is to change.
const POLL: Duration = Duration::from_secs(1);
/// The first operation waits for the port's first fence, which has an end of its own.
const SYNCHRONISED_WITHIN: Duration = Duration::from_secs(600);
/// A module that is starting may report it more than once: `RDY`, then `APP RDY`.
const RESTARTS: usize = 3;

/// Switches the echo off, makes refusals tell their reason, and asks the module who it is.
pub(crate) async fn identify(port: &ModemPort, progress: Option<&Progress>) -> Result<Identity> {
    let mut restarts = 0;
    loop {
        match identify_once(port, progress).await {
            Err(Error::Rebooted { .. }) if restarts < RESTARTS => restarts += 1,
            outcome => return outcome,
        }
    }
}

async fn identify_once(port: &ModemPort, progress: Option<&Progress>) -> Result<Identity> {
    announce(progress, &Step::Synchronise);
    match switch_echo_off(port).await {
        // What the line held before was the start of a command to the module, or the end of this one was lost.
        Err(Error::Module(_) | Error::Timeout { .. }) => switch_echo_off(port).await?,
        outcome => outcome?,
    }
    announce(progress, &Step::Identify);
    if_told(send(port, SetErrorReporting(ErrorDetail::Number)).await)?;
    let mut identity = Identity {
        manufacturer: if_told(send(port, Manufacturer).await)?,
        model: if_told(send(port, Model).await)?,
        revision: if_told(send(port, Revision).await)?,
        imei: if_told(send(port, SerialNumber).await)?,
        information: Vec::new(),
    };
    let is_complete = identity.model.is_some() && identity.revision.is_some();
    if !is_complete || detect::vendor_of(&identity).is_none() {
        let information = if_told(send(port, Information).await)?;
        identity.add(information);
    }
    if detect::vendor_of(&identity).is_none() {
        identity.add_versions(if_told(send(port, Versions).await)?);
    }
    tracing::debug!(%identity, "the module has said who it is");
    Ok(identity)
}

async fn switch_echo_off(port: &ModemPort) -> Result<()> {
    dialect::run(port, EchoOff.operation()?.start_within(SYNCHRONISED_WITHIN)).await.map(drop)
}

/// Brings up the data connection; before it SIM and registration, where there is a SIM.
pub(crate) async fn make_ready(
    port: &ModemPort,
    dialect: &dyn Dialect,
    options: &ModemOptions,
    progress: Option<&Progress>,
) -> Result<()> {
    if dialect.is_cellular() {
        attach(port, options, progress).await?;
    }
    announce(progress, &Step::Activate);
    dialect.activate(port, options).await
}

/// Switches RTS/CTS flow control on in the module; the port has it on already.
pub(crate) async fn use_flow_control(port: &ModemPort) -> Result<()> {
    send(port, SetFlowControl(LineControls::RTS_CTS)).await
}

/// Brings up SIM and registration.
async fn attach(port: &ModemPort, options: &ModemOptions, progress: Option<&Progress>) -> Result<()> {
    announce(progress, &Step::Sim);
    make_sim_ready(port, options.sim_pin.as_ref()).await?;
    wait_for_registration(port, options.attach.timeout, progress).await
}

/// Waits until the SIM is ready, and gives it the PIN at most once: three failures lock it.
async fn make_sim_ready(port: &ModemPort, mut pin: Option<&Secret>) -> Result<()> {
    let has_pin = pin.is_some();
    let mut deadline = Instant::now() + SIM_PATIENCE;
    loop {
        let failure = match send(port, SimState).await {
            Ok(SimStatus::Ready) => return Ok(()),
            Ok(SimStatus::Puk) => return Err(NetworkError::PukRequired.into()),
            Ok(SimStatus::Pin) | Err(Error::Network(NetworkError::PinRequired)) => match pin.take() {
                Some(pin) => {
                    send(port, EnterPin(pin.clone())).await?;
                    deadline = Instant::now() + SIM_PATIENCE;
                    continue;
                }
                None if has_pin => sim_problem("it still asks for the PIN that it has taken"),
                None => return Err(NetworkError::PinRequired.into()),
            },
            Ok(SimStatus::Other(words)) => sim_problem(words),
            // No last word while the module is starting.
            Err(
                error @ (Error::Network(NetworkError::Sim { .. })
                | Error::Timeout { .. }
                | Error::Unreadable { .. }),
            ) => error,
            Err(error) => return Err(error),
        };
        if Instant::now() >= deadline {
            return Err(failure);
        }
        sleep(POLL).await;
    }
}

fn sim_problem(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    NetworkError::Sim { reason: reason.into() }.into()
}

/// Waits until the module is registered at home or abroad, in whatever kind of network.
async fn wait_for_registration(
    port: &ModemPort,
    timeout: Duration,
    progress: Option<&Progress>,
) -> Result<()> {
    let start = Instant::now();
    let mut announced = None;
    let mut denied_since = None;
    let mut silent_since = None;
    loop {
        let state = registration(port).await?;
        let status = state.map_or("the module does not tell", RegistrationState::as_str);
        if announced.replace(status) != Some(status) {
            announce(progress, &Step::Register(status));
        }
        let is_denied = match state {
            Some(state) if state.is_registered() => return Ok(()),
            state => state == Some(RegistrationState::Denied),
        };
        let now = Instant::now();
        denied_since = if is_denied { denied_since.or(Some(now)) } else { None };
        silent_since = if state.is_none() { silent_since.or(Some(now)) } else { None };
        if silent_since.is_some_and(|since| now >= since + UNTOLD_PATIENCE) {
            tracing::warn!("the module tells no registration; the data connection will show");
            return Ok(());
        }
        let is_over = now >= start + timeout;
        if denied_since.is_some_and(|since| is_over || now >= since + DENIED_PATIENCE) {
            return Err(NetworkError::Denied.into());
        }
        if is_over {
            return Err(NetworkError::NotRegistered { status, after: timeout }.into());
        }
        sleep(POLL.min(start + timeout - now)).await;
    }
}

/// The registration that is of most use for data; `None` if the module tells none.
async fn registration(port: &ModemPort) -> Result<Option<RegistrationState>> {
    let mut best = None;
    for domain in Domain::ALL {
        let Some(status) = if_told(send(port, Registration(domain)).await)? else { continue };
        if status.state.is_registered() {
            return Ok(Some(status.state));
        }
        best = best.into_iter().chain([status.state]).max_by_key(|state| hope(*state));
    }
    Ok(best)
}

/// Signal, registration, operator and addresses, as far as the module tells.
pub(crate) async fn network_status(port: &ModemPort) -> Result<NetworkStatus> {
    let sim = match send(port, SimState).await {
        Err(Error::Network(NetworkError::Sim { reason })) => Some(SimStatus::Other(reason.into_owned())),
        Err(Error::Network(NetworkError::PinRequired)) => Some(SimStatus::Pin),
        Err(Error::Network(NetworkError::PukRequired)) => Some(SimStatus::Puk),
        outcome => if_told(outcome)?,
    };
    let signal = if_told(send(port, SignalQuality).await)?;
    let registration = registration(port).await?;
    let operator = if_told(send(port, Operator).await)?;
    let contexts = if_told(send(port, PdpAddress::all()).await)?.unwrap_or_default();
    let addresses = contexts.into_iter().flat_map(|context| context.addresses).collect();
    Ok(NetworkStatus { sim, signal, registration, operator, addresses })
}

/// What the module told. That it does not know a command is no reason to give up; that the port is gone is.
pub(crate) fn if_told<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(told) => Ok(Some(told)),
        Err(Error::Module(_) | Error::Network(_) | Error::Unreadable { .. } | Error::Timeout { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// How much hope a state gives; a network that is still being searched for outweighs one that has refused.
pub(crate) fn hope(state: RegistrationState) -> u8 {
    match state {
        RegistrationState::Home | RegistrationState::Roaming => 5,
        RegistrationState::Searching => 4,
        RegistrationState::Denied => 3,
        RegistrationState::MessagesOnly => 2,
        RegistrationState::EmergencyOnly | RegistrationState::RestrictedOnly => 1,
        RegistrationState::NotSearching | RegistrationState::Unknown => 0,
    }
}

fn announce(progress: Option<&Progress>, step: &Step) {
    if let Some(progress) = progress {
        progress(step);
    }
}
