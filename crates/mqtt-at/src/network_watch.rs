//! Signal and registration, as they change.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::{Instant, sleep_until};

use crate::bringup::{hope, if_told};
use crate::common::{
    Domain, Registration, RegistrationReports, RegistrationState, SetRegistrationReports, Signal,
    SignalQuality,
};
use crate::dialect::{ModemPort, send};
use crate::error::Result;
use crate::modem::Shared;
use crate::urc::{Urc, Urcs};

/// How well the module is connected to the radio network; what it does not tell is `None`.
///
/// [`NetworkWatch`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Coverage {
    /// How well the radio receives.
    pub signal: Option<Signal>,
    /// The registration that is of most use for data.
    pub registration: Option<RegistrationState>,
}

/// A watch over signal and registration, from [`Modem::watch_network`](crate::Modem::watch_network).
///
/// It asks at the interval that was chosen, and at once when the module reports that its registration has changed,
/// which it is told to do. It works only while [`changed`](Self::changed) is awaited, and its two to four commands take
/// turns with those of the clients. It does not keep the port open.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn example(modem: mqtt_at::Modem) -> mqtt_at::Result<()> {
/// let mut watch = modem.watch_network(Duration::from_secs(60));
/// loop {
///     let coverage = watch.changed().await?;
///     println!("{:?}, {:?}", coverage.signal, coverage.registration);
/// }
/// # }
/// ```
pub struct NetworkWatch {
    shared: Arc<Shared>,
    urcs: Urcs,
    every: Duration,
    due: Instant,
    last: Option<Coverage>,
}

/// What a module reports when something about its registration changes.
const NEWS: [&[u8]; 5] = [b"+CREG", b"+CGREG", b"+CEREG", b"+C5GREG", b"+CPIN"];

impl NetworkWatch {
    pub(crate) fn new(shared: &Arc<Shared>, urcs: Urcs, every: Duration) -> Self {
        Self { shared: Arc::clone(shared), urcs, every, due: Instant::now(), last: None }
    }

    /// Waits until signal or registration are other than when this returned last; the first time it says how they are.
    ///
    /// # Errors
    ///
    /// The port is gone. Where it is being opened again, the next call may succeed; it does not ask before the interval
    /// is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no change: the next call asks at once if this one was about to.
    pub async fn changed(&mut self) -> Result<Coverage> {
        loop {
            self.wait().await;
            let asked = coverage(&self.shared.port()).await;
            self.due = Instant::now() + self.every;
            let coverage = asked?;
            if self.last.replace(coverage) != Some(coverage) {
                return Ok(coverage);
            }
        }
    }

    /// Waits until it is time to ask, by the clock or by what the module reports.
    async fn wait(&mut self) {
        while self.due > Instant::now() {
            let is_news = tokio::select! {
                biased;
                urc = self.urcs.next() => match urc {
                    Some(Ok(urc)) => is_news(&urc),
                    // The one that was lost may have been it.
                    Some(Err(_)) => true,
                    None => return sleep_until(self.due).await,
                },
                () = sleep_until(self.due) => true,
            };
            if is_news {
                self.due = Instant::now();
            }
        }
        // What is asked now is later than all of these.
        while let Some(Some(_)) = self.urcs.next().now_or_never() {}
    }
}

fn is_news(urc: &Urc) -> bool {
    NEWS.contains(&urc.name())
}

async fn coverage(port: &ModemPort) -> Result<Coverage> {
    let signal = if_told(send(port, SignalQuality).await)?;
    Ok(Coverage { signal, registration: registration(port).await? })
}

/// Asks for the registration, and for a report of its next change; a module that was restarted has forgotten that.
async fn registration(port: &ModemPort) -> Result<Option<RegistrationState>> {
    let mut best = None;
    for domain in Domain::ALL {
        let Some(status) = if_told(send(port, Registration(domain)).await)? else { continue };
        if !status.reported {
            if_told(send(port, SetRegistrationReports(domain, RegistrationReports::State)).await)?;
        }
        if status.state.is_registered() {
            return Ok(Some(status.state));
        }
        best = best.into_iter().chain([status.state]).max_by_key(|state| hope(*state));
    }
    Ok(best)
}

impl fmt::Debug for NetworkWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkWatch")
            .field("every", &self.every)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
