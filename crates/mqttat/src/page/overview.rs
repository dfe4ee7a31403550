//! The whole conversation on one strip, so that the place of a fault is seen at a glance.

use std::fmt::Write as _;

use mqtt_at::offline::{Analysis, Kind, Severity, Speaker};

use super::{seconds, text};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 64.0;

/// Writes the strip: what the host said above, what the module said below, what looks wrong across both.
pub(super) fn write(page: &mut String, analysis: &Analysis) -> std::fmt::Result {
    let Some(end) = analysis.entries.iter().filter_map(|entry| entry.at).max().filter(|end| !end.is_zero())
    else {
        return Ok(());
    };
    let place = |at: std::time::Duration| 8.0 + at.as_secs_f64() / end.as_secs_f64() * (WIDTH - 16.0);
    write!(
        page,
        "<section class=\"overview\" aria-label=\"Overview\">\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         preserveAspectRatio=\"none\" role=\"img\" aria-label=\"All entries over {} s\">\n\
         <line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"32\" y2=\"32\"/>\n",
        seconds(end)
    )?;
    for entry in &analysis.entries {
        let Some(at) = entry.at else { continue };
        let x = place(at);
        let (class, from, to) = match (&entry.kind, entry.speaker) {
            (Kind::Message { .. }, _) => ("message", 32, 52),
            (_, Speaker::Host) => ("host", 18, 32),
            (_, Speaker::Module) => ("module", 32, 46),
            (_, Speaker::Recorder) => ("note", 28, 36),
        };
        writeln!(page, "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{from}\" y2=\"{to}\"/>")?;
    }
    for finding in analysis.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
        let Some(at) = analysis.entries.get(finding.entry).and_then(|entry| entry.at) else { continue };
        let (x, severity) = (place(at), finding.severity.name());
        writeln!(
            page,
            "<a href=\"#e{}\" aria-label=\"{}\"><rect class=\"hit\" x=\"{:.1}\" y=\"0\" width=\"12\" height=\"{HEIGHT}\"/>\
             <line class=\"{severity}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"4\" y2=\"60\"/>\
             <title>{}</title></a>",
            finding.entry,
            text(&finding.what),
            x - 6.0,
            text(&finding.what)
        )?;
    }
    write!(
        page,
        "</svg>\n<p aria-hidden=\"true\"><span>0 s</span><span class=\"host\">host</span>\
         <span class=\"module\">module</span><span class=\"message\">message</span>\
         <span class=\"error\">looks wrong</span><span>{} s</span></p>\n</section>\n",
        seconds(end)
    )
}
