//! `mqttat sim`

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime};

use mqtt_at::Fault;
use serde::Serialize;
use virtual_modem::{Broker, EmbeddedBroker, TcpPort, Vendor, VirtualModem};

use super::Context;
use crate::args::VendorChoice;
use crate::args::sim::{BrokerChoice, FaultSpec, Sim};
use crate::device::start_broker;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

pub(super) async fn run(args: &Sim, context: &Context) -> Result<(), Failure> {
    let (broker, embedded) = broker(args.broker.as_ref()).await?;
    let module = build(args, context, broker)?;
    let mut door = Door::open(args).await?;
    let ready = Ready {
        ready: door.address()?,
        vendor: module.vendor().to_string(),
        broker: embedded.as_ref().map(|broker| broker.local_addr().to_string()),
    };
    // Whoever reads READY may send a signal at once.
    let mut interrupt = Interrupt::listen();
    announce(&ready, context.global.json)?;
    let served = tokio::select! {
        served = door.serve(&module, args.link.as_deref()) => served,
        () = interrupt.wait() => Ok(()),
    };
    served.map_err(|error| Failure::failed(format!("{}: {error}", ready.ready), Fault::Link))
}

/// What is printed when the module can be used.
#[derive(Serialize)]
struct Ready {
    ready: String,
    vendor: String,
    /// Where its own broker listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    broker: Option<String>,
}

fn announce(ready: &Ready, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(ready).map(drop);
    }
    output::print(|out| {
        use io::Write;
        write!(out, "READY {}", ready.ready)?;
        if let Some(broker) = &ready.broker {
            write!(out, " broker {broker}")?;
        }
        out.write_all(b"\n")
    })
    .map(drop)
}

/// Where connections end, and the broker that must be kept for that.
async fn broker(choice: Option<&BrokerChoice>) -> Result<(Broker, Option<EmbeddedBroker>), Failure> {
    match choice {
        None => Ok((Broker::AsDialled, None)),
        Some(BrokerChoice::Embedded(port)) => {
            let embedded = start_broker(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).await?;
            Ok((Broker::Redirect(embedded.local_addr()), Some(embedded)))
        }
        Some(BrokerChoice::At(target)) => {
            let unknown = |why: String| {
                Failure::caller(format!("--broker {target}: {why}"))
                    .remedy("name a host that this computer can resolve")
            };
            let mut addresses =
                tokio::net::lookup_host(target).await.map_err(|error| unknown(error.to_string()))?;
            let address = addresses.next().ok_or_else(|| unknown("has no address".to_owned()))?;
            Ok((Broker::Redirect(address), None))
        }
    }
}

fn build(args: &Sim, context: &Context, broker: Broker) -> Result<VirtualModem, Failure> {
    let vendor = match context.global.vendor {
        VendorChoice::Auto => Vendor::Quectel,
        VendorChoice::Named(vendor) => {
            vendor.to_string().parse::<Vendor>().map_err(|error| Failure::caller(error.to_string()))?
        }
    };
    let mut builder = VirtualModem::builder(vendor)
        .broker(broker)
        .baud(context.global.baud)
        .clock(SystemTime::now())
        .rtt(Duration::from_millis(args.rtt))
        .seed(args.seed);
    for quirk in &args.quirks {
        builder = builder.quirk(*quirk);
    }
    let builder = FaultSpec::apply(&args.faults, args.seed, builder);
    builder.build().map_err(|error| Failure::caller(error.to_string()).remedy("choose another --vendor"))
}

/// How long a port is gone that a fault has closed.
const UNPLUGGED: Duration = Duration::from_secs(2);

/// How hosts reach the module.
enum Door {
    #[cfg(unix)]
    Terminal(virtual_modem::PtyLink),
    /// A terminal that is gone for a while.
    #[cfg(unix)]
    Unplugged,
    Tcp(TcpPort),
}

impl Door {
    async fn open(args: &Sim) -> Result<Self, Failure> {
        match args.tcp {
            Some(address) => {
                let port = TcpPort::bind(address).await.map_err(|error| {
                    Failure::caller(format!("--tcp {address}: {error}")).remedy("choose another port")
                })?;
                Ok(Self::Tcp(port))
            }
            None => Self::open_terminal(args.link.as_deref()),
        }
    }

    #[cfg(unix)]
    fn open_terminal(link: Option<&Path>) -> Result<Self, Failure> {
        let failure = |error: io::Error| {
            let subject =
                link.map_or("no pseudo terminal".to_owned(), |link| format!("--link {}", link.display()));
            Failure::caller(format!("{subject}: {error}")).remedy("choose another path")
        };
        virtual_modem::PtyLink::open(link).map(Self::Terminal).map_err(failure)
    }

    #[cfg(not(unix))]
    fn open_terminal(_: Option<&Path>) -> Result<Self, Failure> {
        Err(Failure::usage("this system has no pseudo terminals: use --tcp"))
    }

    /// What to give to `--device`.
    fn address(&self) -> Result<String, Failure> {
        match self {
            #[cfg(unix)]
            Self::Terminal(terminal) => Ok(terminal.path().display().to_string()),
            #[cfg(unix)]
            Self::Unplugged => Err(Failure::failed("the terminal is gone".to_owned(), Fault::Link)),
            Self::Tcp(port) => match port.local_addr() {
                Ok(address) => Ok(format!("tcp://{address}")),
                Err(error) => Err(Failure::failed(format!("the TCP port is gone: {error}"), Fault::Link)),
            },
        }
    }

    /// Serves hosts; a terminal that a fault has closed is gone for a while and comes back, if it has a link by which
    /// it can be found.
    async fn serve(&mut self, module: &VirtualModem, link: Option<&Path>) -> io::Result<()> {
        loop {
            match self {
                Self::Tcp(port) => return port.serve(module).await,
                #[cfg(unix)]
                Self::Terminal(terminal) => {
                    terminal.serve(module).await?;
                    let Some(link) = link else { return Ok(()) };
                    *self = Self::Unplugged;
                    let _ = tokio::time::timeout(UNPLUGGED, module.run_unattended()).await;
                    *self = Self::Terminal(virtual_modem::PtyLink::open(Some(link))?);
                }
                #[cfg(unix)]
                Self::Unplugged => return Ok(()),
            }
        }
    }
}
