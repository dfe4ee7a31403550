//! The data connection: PDP contexts.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use at_codec::{Charset, CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use super::answer;
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT+CGDCONT?`: the PDP contexts that are defined [27.007 §10.1.1].
///
/// ```
/// use mqtt_at::{Command, common::PdpContexts};
///
/// let command = PdpContexts;
/// assert_eq!(command.operation()?.to_string(), "AT+CGDCONT?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PdpContexts;

impl Command for PdpContexts {
    type Answer = Vec<PdpContext>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+CGDCONT"), "+CGDCONT"))
    }

    fn read(&self, reply: &Reply) -> Result<Vec<PdpContext>, Unreadable> {
        rows(reply, "+CGDCONT", |fields| {
            let cid = answer::number(fields)?;
            let kind = fields.text().map(PdpType::read)?;
            let apn = fields.text().map(answer::shown).unwrap_or_default();
            Some(PdpContext { cid, kind, apn })
        })
    }
}

/// The definition of a data connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PdpContext {
    /// Its number, from 1.
    pub cid: u8,
    /// Which addresses it has.
    pub kind: PdpType,
    /// The access point name; empty where the SIM's contract decides.
    pub apn: String,
}

/// Which addresses a data connection has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PdpType {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Both.
    Ipv4v6,
    /// Something else, such as `PPP`. It can be read, but not written.
    Other(String),
}

impl PdpType {
    fn read(text: &[u8]) -> Self {
        match text {
            b"IP" => Self::Ipv4,
            b"IPV6" => Self::Ipv6,
            b"IPV4V6" => Self::Ipv4v6,
            other => Self::Other(answer::shown(other)),
        }
    }

    /// As commands name it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ipv4 => "IP",
            Self::Ipv6 => "IPV6",
            Self::Ipv4v6 => "IPV4V6",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for PdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `AT+CGDCONT=…`: defines a PDP context [27.007 §10.1.1].
///
/// ```
/// use mqtt_at::{Command, common::{DefinePdpContext, PdpType}};
///
/// let command = DefinePdpContext::new(1, PdpType::Ipv4, "internet");
/// assert_eq!(command.operation()?.to_string(), r#"AT+CGDCONT=1,"IP","internet""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinePdpContext {
    cid: u8,
    kind: PdpType,
    apn: String,
}

impl DefinePdpContext {
    /// The context `cid` (1 to 15 on most modules) with an access point name of at most 99 bytes.
    pub fn new(cid: u8, kind: PdpType, apn: impl Into<String>) -> Self {
        Self { cid, kind, apn: apn.into() }
    }
}

impl Command for DefinePdpContext {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write("+CGDCONT")
            .integer(self.cid)
            .quoted("PDP type", self.kind.as_str(), Charset::ASCII, 16)?
            .quoted("access point name", &self.apn, Charset::ASCII, 99)?
            .finish();
        Ok(answer::plain(line))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// `AT+CGACT?`: which PDP contexts are active [27.007 §10.1.10].
///
/// ```
/// use mqtt_at::{Command, common::ActivePdp};
///
/// let command = ActivePdp;
/// assert_eq!(command.operation()?.to_string(), "AT+CGACT?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivePdp;

impl Command for ActivePdp {
    type Answer = Vec<PdpState>;

    fn operation(&self) -> Result<Operation, InputError> {
        // A module that is leaving the network answers late.
        let exchange = Exchange::new(CommandLine::read("+CGACT")).answer(Answer::Named("+CGACT"));
        Ok(exchange.timeout(Duration::from_secs(15)).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<PdpState>, Unreadable> {
        rows(reply, "+CGACT", |fields| {
            let cid = answer::number(fields)?;
            let active = fields.integer()? == 1;
            Some(PdpState { cid, active })
        })
    }
}

/// Whether a PDP context is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PdpState {
    /// Its number.
    pub cid: u8,
    /// Whether it is active.
    pub active: bool,
}

/// `AT+CGACT=…`: activates a PDP context or ends it, which may take minutes [27.007 §10.1.10].
///
/// Some modules refuse to activate what is active already: ask with [`ActivePdp`] or [`PdpAddress`].
///
/// ```
/// use mqtt_at::{Command, common::ActivatePdp};
///
/// let command = ActivatePdp { cid: 1, active: true };
/// assert_eq!(command.operation()?.to_string(), "AT+CGACT=1,1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivatePdp {
    /// The number of the context.
    pub cid: u8,
    /// Whether it is to be active.
    pub active: bool,
}

impl Command for ActivatePdp {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write("+CGACT").integer(u8::from(self.active)).integer(self.cid).finish();
        // The longest time that a vendor gives: 150 s at Quectel.
        Ok(Exchange::new(line).timeout(Duration::from_secs(150)).into())
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// `AT+CGPADDR`: the addresses of the PDP contexts [27.007 §10.1.14].
///
/// ```
/// use mqtt_at::{Command, common::PdpAddress};
///
/// let command = PdpAddress::of(1);
/// assert_eq!(command.operation()?.to_string(), "AT+CGPADDR=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PdpAddress {
    cid: Option<u8>,
}

impl PdpAddress {
    /// Of one context.
    pub fn of(cid: u8) -> Self {
        Self { cid: Some(cid) }
    }

    /// Of all.
    pub fn all() -> Self {
        Self { cid: None }
    }
}

impl Command for PdpAddress {
    type Answer = Vec<PdpAddresses>;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = match self.cid {
            Some(cid) => CommandLine::write("+CGPADDR").integer(cid).finish(),
            None => CommandLine::execute("+CGPADDR"),
        };
        Ok(answer::named(line, "+CGPADDR"))
    }

    fn read(&self, reply: &Reply) -> Result<Vec<PdpAddresses>, Unreadable> {
        rows(reply, "+CGPADDR", |fields| {
            let cid = answer::number(fields)?;
            let texts = std::iter::from_fn(|| fields.text());
            Some(PdpAddresses { cid, addresses: texts.filter_map(read_address).collect() })
        })
    }
}

/// The addresses of a PDP context.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PdpAddresses {
    /// Its number.
    pub cid: u8,
    /// Its addresses; none while it is not active.
    pub addresses: Vec<IpAddr>,
}

/// Reads every information response with this name.
fn rows<T>(
    reply: &Reply,
    name: &str,
    read: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> Result<Vec<T>, Unreadable> {
    let rows = reply.lines.iter().filter_map(|line| Fields::of(line, name));
    rows.map(|mut fields| read(&mut fields).ok_or(Unreadable)).collect()
}

/// Reads an address; IPv6 may be written as 16 decimal numbers with dots between. All zeros stand for none.
fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let address = text.parse().ok().or_else(|| {
        let octets: Option<Vec<u8>> = text.split('.').map(|octet| octet.parse().ok()).collect();
        let octets: [u8; 16] = octets?.try_into().ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(octets)))
    });
    address.filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    #[tokio::test(start_paused = true)]
    async fn addresses_in_every_form() {
        let addresses = async |answer: &str| ask(PdpAddress::all(), answer).await.1.unwrap();
        let of = |cid, list: &[&str]| PdpAddresses {
            cid,
            addresses: list.iter().map(|address| address.parse().unwrap()).collect(),
        };
        assert_eq!(
            addresses("+CGPADDR: 1,10.49.14.68\n+CGPADDR: 4,0.0.0.0\nOK").await,
            [of(1, &["10.49.14.68"]), of(4, &[])]
        );
        assert_eq!(addresses("+CGPADDR: 1,\"10.101.218.186\"\nOK").await, [of(1, &["10.101.218.186"])]);
        assert_eq!(
            addresses("+CGPADDR: 2,0.0.0.0,0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0\n+CGPADDR: 3\nOK").await,
            [of(2, &[]), of(3, &[])]
        );
        assert_eq!(
            addresses("+CGPADDR: 1,\"10.0.0.1\",\"36.9.137.107.0.0.0.0.0.0.0.0.0.0.0.1\"\nOK").await,
            [of(1, &["10.0.0.1", "2409:896b::1"])]
        );
        assert_eq!(addresses("+CGPADDR: 1,\"2001:db8::1\"\nOK").await, [of(1, &["2001:db8::1"])]);
        assert_eq!(addresses("OK").await, []);
        assert!(ask(PdpAddress::all(), "+CGPADDR: x\nOK").await.1.is_err());
        assert_eq!(ask(PdpAddress::all(), "OK").await.0, "AT+CGPADDR");
        assert_eq!(ask(PdpAddress::of(1), "OK").await.0, "AT+CGPADDR=1");
    }

    #[tokio::test(start_paused = true)]
    async fn contexts_are_listed() {
        let answer = "+CGDCONT: 1,\"IP\",\"jionet\",\"0.0.0.0\",0,0,0,0\n\
                      +CGDCONT: 2,\"IPV4V6\",\"ims\",\"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0\",0,0,0,0\n\
                      +CGDCONT: 3,\"PPP\",\"\"\n\nOK";
        let (line, contexts) = ask(PdpContexts, answer).await;
        assert_eq!(line, "AT+CGDCONT?");
        let context = |cid, kind, apn: &str| PdpContext { cid, kind, apn: apn.into() };
        assert_eq!(
            contexts,
            Ok(vec![
                context(1, PdpType::Ipv4, "jionet"),
                context(2, PdpType::Ipv4v6, "ims"),
                context(3, PdpType::Other("PPP".into()), ""),
            ])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn contexts_are_defined_and_activated() {
        let define = DefinePdpContext::new(1, PdpType::Ipv4, "cmnet");
        assert_eq!(ask(define, "OK").await, ("AT+CGDCONT=1,\"IP\",\"cmnet\"".into(), Ok(())));
        assert_eq!(ask(ActivatePdp { cid: 1, active: true }, "OK").await, ("AT+CGACT=1,1".into(), Ok(())));
        assert_eq!(ask(ActivatePdp { cid: 9, active: false }, "OK").await.0, "AT+CGACT=0,9");
        let (line, states) = ask(ActivePdp, "+CGACT: 1,0\n+CGACT: 9,1\nOK").await;
        let expected = vec![PdpState { cid: 1, active: false }, PdpState { cid: 9, active: true }];
        assert_eq!((line.as_str(), states), ("AT+CGACT?", Ok(expected)));
    }

    #[test]
    fn an_access_point_name_cannot_carry_a_command() {
        for apn in ["a\"b", "a\r", "é", &"x".repeat(100)] {
            assert!(DefinePdpContext::new(1, PdpType::Ipv4, apn).operation().is_err(), "{apn:?}");
        }
    }
}
