//! How near mqtt-at comes to the limits of wire and machine, with its peers in the same run.
//!
//! ```sh
//! cargo run --release -p bench -- all           # everything, a few minutes
//! cargo run --release -p bench -- framing idle  # single sections
//! cargo run --release -p bench -- all --quick   # that the counted figures meet their goals; for CI
//! ```
//!
//! Figures are ratios of one run, counted bytes and allocations, or rates in virtual time: nothing that another
//! machine or a busy one would make look different. docs/PERFORMANCE.md explains them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark may stop where it stands, and it talks"
)]

mod exchange;
mod fairness;
mod fanout;
mod fleet;
mod framing;
mod growth;
mod heap;
mod idle;
mod inbound;
mod injection;
mod instant_io;
mod plot;
mod report;
mod seeds;
mod stopwatch;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::report::Report;

/// Measures mqtt-at and its peers
#[derive(Parser)]
struct Args {
    /// What to measure
    #[arg(required = true)]
    sections: Vec<Section>,
    /// Measure briefly, and fail only where a counted figure or a rate in virtual time misses its goal
    #[arg(long)]
    quick: bool,
    /// Print the publish rate of every case, not only the worst and the usual ones
    #[arg(long, short)]
    verbose: bool,
    /// Write the plots of the sections into this folder
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// All of them
    All,
    /// Publish rates against the bound of wire and module, in virtual time
    Wire,
    /// Rates of received messages, alone and with publishes under way, in virtual time
    Inbound,
    /// How long a publish takes while another client floods the port, in virtual time
    Fairness,
    /// Bytes to frames
    Framing,
    /// One command and its answer
    Exchange,
    /// Heap of ports and clients that do nothing
    Idle,
    /// Many busy ports on one core
    Fleet,
    /// One message to many subscribers, and what a kept message pins
    Fanout,
    /// How cost grows with payload, clients, subscribers and modems
    Growth,
    /// Full-stack simulations per second
    Seeds,
}

/// Measures a section.
type Run = fn(&mut Report);

fn main() -> ExitCode {
    let args = Args::parse();
    let mut report = Report::new(args.quick, args.verbose, args.plots);
    let wanted = |section| args.sections.iter().any(|it| *it == section || *it == Section::All);
    let sections: [(Section, Run); 10] = [
        (Section::Wire, wire::run),
        (Section::Inbound, inbound::run),
        (Section::Fairness, fairness::run),
        (Section::Framing, framing::run),
        (Section::Exchange, exchange::run),
        (Section::Idle, idle::run),
        (Section::Fleet, fleet::run),
        (Section::Fanout, fanout::run),
        (Section::Growth, growth::run),
        (Section::Seeds, seeds::run),
    ];
    for (section, run) in sections {
        if wanted(section) {
            run(&mut report);
        }
    }
    report.conclude()
}
