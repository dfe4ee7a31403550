//! Tables with goal and result side by side.

use std::path::PathBuf;
use std::process::ExitCode;

/// What was measured, and whether the goals are met.
pub(crate) struct Report {
    quick: bool,
    verbose: bool,
    plots: Option<PathBuf>,
    /// Goals that were missed.
    missed: Vec<String>,
    /// Goals of counted figures that were missed: these fail a run in CI.
    failed: Vec<String>,
}

/// How a figure came about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Counted, or measured in virtual time: the same on every machine.
    Counted,
    /// A ratio of wall times in one run.
    Timed,
}

impl Report {
    pub(crate) fn new(quick: bool, verbose: bool, plots: Option<PathBuf>) -> Self {
        Self { quick, verbose, plots, missed: Vec::new(), failed: Vec::new() }
    }

    /// Whether a short run is wanted.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }

    /// Whether tables of every case are wanted.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// `long`, or in a short run `short`.
    pub(crate) fn choose<T>(&self, long: T, short: T) -> T {
        if self.quick { short } else { long }
    }

    pub(crate) fn heading(&self, text: &str) {
        println!("\n## {text}\n");
    }

    /// Prints a table; the first row is its head.
    pub(crate) fn table(&self, rows: &[Vec<String>]) {
        let Some(head) = rows.first() else { return };
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        for (number, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
            println!("|{}", cells.collect::<String>());
            if number == 0 {
                let lines = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2)));
                println!("|{}", lines.collect::<String>());
            }
        }
        println!();
    }

    /// A goal and the result beside it, as the cells of a row.
    pub(crate) fn goal(
        &mut self,
        kind: Kind,
        what: impl Into<String>,
        goal: impl Into<String>,
        result: impl Into<String>,
        met: bool,
    ) -> Vec<String> {
        let (what, goal, result) = (what.into(), goal.into(), result.into());
        let verdict = if met { "met" } else { "**missed**" };
        if !met {
            let text = format!("{what}: {result}, not {goal}");
            if kind == Kind::Counted {
                self.failed.push(text.clone());
            }
            self.missed.push(text);
        }
        vec![what, goal, result, verdict.to_owned()]
    }

    /// The head of a table of goals.
    pub(crate) fn goal_head() -> Vec<String> {
        ["what", "goal", "result", ""].map(str::to_owned).to_vec()
    }

    /// Stores a plot, if plots are wanted.
    pub(crate) fn plot(&self, name: &str, svg: &str) {
        let Some(folder) = &self.plots else { return };
        std::fs::create_dir_all(folder).expect("the folder of the plots can be made");
        let path = folder.join(name);
        std::fs::write(&path, svg).expect("the plot can be written");
        println!("plot: {}\n", path.display());
    }

    /// Says which goals were missed. A short run fails only for what does not depend on the machine.
    pub(crate) fn conclude(self) -> ExitCode {
        if self.missed.is_empty() {
            println!("All goals are met.");
        } else {
            println!("Missed:\n- {}", self.missed.join("\n- "));
        }
        let failed = if self.quick { &self.failed } else { &self.missed };
        if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// A row of cells.
pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
