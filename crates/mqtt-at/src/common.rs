//! Commands that every module has: V.250 and 3GPP TS 27.007.
//!
//! Each type is a [`Command`](crate::Command) for [`Modem::send`](crate::Modem::send). A noun reads a setting, the
//! same noun with `Set` in front writes it. Answers are taken as modules give them: with or without the command's
//! name in front, with or without quotation marks, with any number of spaces.
//!
//! | Concern | Commands |
//! |---|---|
//! | the conversation | [`Attention`], [`EchoOff`], [`EchoOn`], [`ErrorReporting`], [`SetErrorReporting`] |
//! | who the module is | [`Manufacturer`], [`Model`], [`Revision`], [`SerialNumber`], [`Information`], [`Versions`] |
//! | the SIM | [`SimState`], [`EnterPin`], [`Imsi`], [`Iccid`] |
//! | the radio | [`SignalQuality`], [`Operator`], [`Functionality`], [`SetFunctionality`] |
//! | the registration | [`Registration`], [`SetRegistrationReports`], [`Attached`], [`SetAttached`] |
//! | the data connection | [`PdpContexts`], [`DefinePdpContext`], [`ActivePdp`], [`ActivatePdp`], [`PdpAddress`] |
//! | the clock | [`Clock`], [`SetClock`] |
//! | the serial line | [`FlowControl`], [`SetFlowControl`], [`BaudRate`] |
//!
//! # Examples
//!
//! ```no_run
//! use mqtt_at::common::{Clock, SignalQuality};
//!
//! # async fn example(modem: mqtt_at::Modem) -> mqtt_at::Result<()> {
//! if let Some(dbm) = modem.send(SignalQuality).await?.rssi_dbm {
//!     println!("{dbm} dBm at {}", modem.send(Clock).await?);
//! }
//! # Ok(()) }
//! ```

mod answer;
mod basic;
mod clock;
mod cme;
mod identity;
mod pdp;
mod radio;
mod registration;
mod serial;
mod sim;

pub use basic::{Attention, EchoOff, EchoOn, ErrorDetail, ErrorReporting, SetErrorReporting};
pub use clock::{Clock, ClockTime, SetClock};
pub(crate) use cme::cme_meaning;
pub use identity::{
    Imei, Information, Manufacturer, Model, ModuleInformation, Revision, SerialNumber, Versions,
};
pub use pdp::{
    ActivatePdp, ActivePdp, DefinePdpContext, PdpAddress, PdpAddresses, PdpContext, PdpContexts, PdpState,
    PdpType,
};
pub use radio::{
    AccessTechnology, Functionality, FunctionalityLevel, Operator, SelectedOperator, SetFunctionality,
    Signal, SignalQuality,
};
pub use registration::{
    Attached, Domain, Registration, RegistrationReports, RegistrationState, RegistrationStatus, SetAttached,
    SetRegistrationReports,
};
pub use serial::{BaudRate, FlowControl, LineControl, LineControls, SetFlowControl};
pub use sim::{EnterPin, Iccid, Imsi, SimState, SimStatus};
