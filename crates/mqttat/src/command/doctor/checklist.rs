//! The list of what was found.

use std::io::Write;

use mqtt_at::Fault;
use serde::Serialize;

use crate::failure::Failure;
use crate::output;
use crate::paint::Paint;

/// What one check found.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    check: &'static str,
    verdict: Verdict,
    finding: String,
    remedy: Option<String>,
}

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl Check {
    pub(super) fn ok(check: &'static str, finding: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, finding: finding.into(), remedy: None }
    }

    /// Something that works, and may not for long.
    pub(super) fn warning(
        check: &'static str,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { check, verdict: Verdict::Warning, finding: finding.into(), remedy }
    }

    pub(super) fn failed(check: &'static str, failure: &Failure) -> Self {
        let remedy = failure.what_to_do().map(str::to_owned);
        Self { check, verdict: Verdict::Failed, finding: failure.what().to_owned(), remedy }
    }

    pub(super) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, finding: why.into(), remedy: None }
    }

    /// What came from the module does nothing to the terminal.
    fn write(&self, out: &mut impl Write, paint: Paint) -> std::io::Result<()> {
        let shown = |text: &str| text.chars().filter(|it| !it.is_control()).collect::<String>();
        let mark = match self.verdict {
            Verdict::Ok => paint.good("[ ok ]"),
            Verdict::Warning => paint.warning("[warn]"),
            Verdict::Failed => paint.bad("[FAIL]"),
            Verdict::Skipped => paint.module("[ -- ]"),
        };
        writeln!(out, "{mark} {:<16} {}", self.check, shown(&self.finding))?;
        match &self.remedy {
            Some(remedy) => writeln!(out, "       {:<16} -> {}", "", shown(remedy)),
            None => Ok(()),
        }
    }
}

/// The list, shown as it grows.
#[derive(Debug)]
pub(super) struct Checklist {
    json: bool,
    paint: Paint,
    checks: usize,
    failed: Vec<&'static str>,
    fault: Option<Fault>,
}

impl Checklist {
    pub(super) fn new(json: bool) -> Self {
        Self { json, paint: Paint::stdout(), checks: 0, failed: Vec::new(), fault: None }
    }

    pub(super) fn note(&mut self, check: &Check) -> Result<(), Failure> {
        if check.verdict != Verdict::Skipped {
            self.checks += 1;
        }
        if check.verdict == Verdict::Failed {
            self.failed.push(check.check);
        }
        if self.json {
            return output::print_json(check).map(drop);
        }
        output::print(|out| check.write(out, self.paint)).map(drop)
    }

    /// A check that failed, and by whose fault. The first fault is that of the whole.
    pub(super) fn fail(&mut self, check: &'static str, failure: &Failure) -> Result<(), Failure> {
        self.fault = self.fault.or(failure.fault());
        self.note(&Check::failed(check, failure))
    }

    /// Checks that make no sense after a failure.
    pub(super) fn skip(&mut self, checks: &[&'static str], why: &str) -> Result<(), Failure> {
        checks.iter().try_for_each(|check| self.note(&Check::skipped(check, why)))
    }

    /// The verdict on the whole.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { checks, failed, fault, .. } = self;
        if failed.is_empty() {
            return Ok(());
        }
        let what = format!("{} of {checks} checks failed: {}", failed.len(), failed.join(", "));
        Err(Failure::failed(what, fault.unwrap_or(Fault::Module)).remedy("begin with the first of them"))
    }
}
