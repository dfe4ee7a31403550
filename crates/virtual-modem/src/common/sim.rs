//! The SIM card and its PIN [3GPP 27.007 §8.3].

use tokio::time::Instant;

use crate::machine::answer::Refusal;

/// A SIM card, or the empty slot.
#[derive(Debug, Clone)]
pub(crate) struct Sim {
    pub(crate) present: bool,
    pub(crate) imsi: String,
    pub(crate) iccid: String,
    pub(crate) busy_until: Option<Instant>,
    pin: Option<String>,
    unlocked: bool,
    tries: u8,
}

/// Wrong PINs until the card wants its PUK, which this card does not have.
const TRIES: u8 = 3;

impl Sim {
    pub(crate) fn new(pin: Option<String>) -> Self {
        Self {
            present: true,
            imsi: "460001234567890".to_owned(),
            iccid: "89860012345678901234".to_owned(),
            busy_until: None,
            pin,
            unlocked: false,
            tries: TRIES,
        }
    }

    /// The card is powered anew; used tries stay used.
    pub(crate) fn power_on(&mut self) {
        self.unlocked = false;
    }

    /// What `AT+CPIN?` says behind `+CPIN: `.
    pub(crate) fn state(&self, now: Instant) -> Result<&'static str, Refusal> {
        if !self.present {
            return Err(Refusal::Cme(10));
        }
        if self.busy_until.is_some_and(|until| now < until) {
            return Err(Refusal::Cme(14));
        }
        Ok(match (&self.pin, self.tries, self.unlocked) {
            (Some(_), 0, _) => "SIM PUK",
            (Some(_), _, false) => "SIM PIN",
            _ => "READY",
        })
    }

    pub(crate) fn is_ready(&self, now: Instant) -> bool {
        self.state(now) == Ok("READY")
    }

    /// Takes a PIN; the third wrong one locks the card.
    pub(crate) fn unlock(&mut self, pin: &[u8], now: Instant) -> Result<(), Refusal> {
        match self.state(now)? {
            "SIM PIN" => {}
            "SIM PUK" => return Err(Refusal::Cme(12)),
            _ => return Err(Refusal::Cme(3)),
        }
        if self.pin.as_ref().is_some_and(|right| right.as_bytes() == pin) {
            self.unlocked = true;
            self.tries = TRIES;
            return Ok(());
        }
        self.tries = self.tries.saturating_sub(1);
        Err(Refusal::Cme(if self.tries == 0 { 12 } else { 16 }))
    }

    /// What is missing, as an error of a command that needs the card.
    pub(crate) fn require(&self, now: Instant) -> Result<(), Refusal> {
        match self.state(now)? {
            "SIM PIN" => Err(Refusal::Cme(11)),
            "SIM PUK" => Err(Refusal::Cme(12)),
            _ => Ok(()),
        }
    }
}
