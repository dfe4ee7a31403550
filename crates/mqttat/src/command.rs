//! The commands.

use std::io::IsTerminal;

use mqtt_at::Fault;

use crate::args::{Args, Command, Device, Global, VendorChoice};
use crate::device::{Opened, Wishes};
use crate::failure::Failure;
use crate::progress::Progress;

mod at;
mod bench;
mod console;
mod demo;
mod doctor;
mod generate;
mod info;
mod ports;
mod publish;
pub(crate) mod replay;
mod sim;
mod subscribe;
#[cfg(feature = "tui")]
mod top;

/// Does what the command line says.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if args.global.record.is_some() && args.command.is_about_this_computer() {
        return Err(Failure::usage("--record is for commands that talk to a module: this one does not"));
    }
    if args.global.device.is_none() && args.command.needs_module() {
        return Err(no_module());
    }
    let progress = Progress::start(args.verbosity() > 0);
    let context = Context { is_logging: args.verbosity() > 0, global: args.global, progress };
    let outcome = match args.command {
        Command::Demo(demo) => demo::run(&demo, &context).await,
        Command::Ports(ports) => ports::run(&ports, &context).await,
        Command::Info(_) => info::run(&context).await,
        Command::Doctor(doctor) => doctor::run(&doctor, &context).await,
        Command::Publish(publish) => publish::run(&publish, &context).await,
        Command::Subscribe(subscribe) => subscribe::run(&subscribe, &context).await,
        Command::At(at) => at::run(&at, &context).await,
        Command::Console(console) => console::run(&console, &context).await,
        Command::Bench(bench) => bench::run(&bench, &context).await,
        #[cfg(feature = "tui")]
        Command::Top(top) => top::run(&top, &context).await,
        Command::Sim(sim) => sim::run(&sim, &context).await,
        Command::Replay(replay) => replay::run(&replay, &context),
        Command::Completions(completions) => generate::completions(&completions),
        Command::Man(man) => generate::man(&man),
    };
    context.progress.done();
    outcome.map_err(|failure| in_view_of(&context.global, failure))
}

/// The command needs a module, and none is named.
pub(crate) fn no_module() -> Failure {
    Failure::usage("no module is named: use --device DEV, or set MQTTAT_DEVICE")
        .remedy("`mqttat ports` lists the serial ports, and --device sim:quectel is a virtual module")
}

/// What a failure comes from where the options say more about it than the module did.
fn in_view_of(global: &Global, failure: Failure) -> Failure {
    match (&global.device, global.vendor, failure.fault()) {
        (Some(Device::Played(_)), _, Some(Fault::Link)) => failure
            .by(Fault::Caller)
            .remedy("give the command, its options and -i as they were when the transcript was recorded"),
        (_, VendorChoice::Named(vendor), Some(Fault::Module)) => {
            let known = failure.what_to_do().map_or_else(String::new, |remedy| format!("{remedy}; "));
            failure.remedy(format!("{known}if the module is not {vendor}'s, leave out --vendor"))
        }
        _ => failure,
    }
}

/// What every command works with.
#[derive(Debug)]
struct Context {
    global: Global,
    progress: Progress,
    /// Whether stderr is in use for the log.
    is_logging: bool,
}

impl Context {
    async fn open(&self, wishes: Wishes) -> Result<Opened, Failure> {
        Opened::open(&self.global, &self.progress, wishes).await
    }

    /// A remark for a person; scripts do not get it.
    fn remark(&self, text: &str) {
        use std::io::Write;
        if std::io::stderr().is_terminal() {
            // A remark that cannot be made is not missed.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}
