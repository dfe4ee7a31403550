//! The commands.

use std::io::IsTerminal;

use crate::args::{Args, Command, Global};
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
    outcome
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
