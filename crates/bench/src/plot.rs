//! Line plots as SVG.

use std::fmt::Write;

/// A plot with logarithmic axes.
pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) series: Vec<Series>,
}

/// One line of a plot.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether it is a bound and not a measurement.
    pub(crate) dashed: bool,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Colours that people with a red-green weakness can tell apart.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"];

impl Plot {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let x = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
        let y = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
        let mut svg = String::new();
        let mut line = |text: String| {
            svg.push_str(&text);
            svg.push('\n');
        };
        line(format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#
        ));
        line(format!(r#"<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>"#));
        line(format!(r#"<text x="{LEFT}" y="22" font-size="15">{}</text>"#, self.title));
        for value in x.ticks() {
            let at = x.place(value);
            line(format!(
                r##"<path d="M{at:.1} {TOP}V{:.1}" stroke="#ddd"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{}</text>"##,
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM + 16.0,
                short(value)
            ));
        }
        for value in y.ticks() {
            let at = y.place(value);
            line(format!(
                r##"<path d="M{LEFT} {at:.1}H{:.1}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"##,
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0,
                short(value)
            ));
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        line(format!(r#"<text x="{middle}" y="{}" text-anchor="middle">{}</text>"#, HEIGHT - 12.0, self.x));
        let middle = f64::midpoint(TOP, HEIGHT - BOTTOM);
        line(format!(
            r#"<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">{}</text>"#,
            self.y
        ));
        for (number, series) in self.series.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let mut path = String::new();
            for (position, point) in series.points.iter().enumerate() {
                let letter = if position == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{letter}{:.1} {:.1}", x.place(point.0), y.place(point.1));
            }
            let dash = if series.dashed { r#" stroke-dasharray="5 4""# } else { "" };
            line(format!(r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>"#));
            let (at, below) = (WIDTH - RIGHT + 14.0, TOP + 14.0 + 20.0 * number as f64);
            line(format!(
                r#"<path d="M{at} {}h22" stroke="{colour}" stroke-width="2"{dash}/><text x="{}" y="{below}">{}</text>"#,
                below - 4.0,
                at + 28.0,
                series.name
            ));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values
            .filter(|value| *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        Self { low: low.log10(), high: high.log10().max(low.log10() + 0.1), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.max(1e-9).log10() - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// 1, 2 and 5 of each power of ten; only the powers on a long axis.
    fn ticks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.high - self.low > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let powers = self.low.floor() as i32..=self.high.ceil() as i32;
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10.0_f64.powi(power)));
        all.filter(|value| (self.low - 1e-9..=self.high + 1e-9).contains(&value.log10())).collect()
    }
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e3 => format!("{}k", value / 1e3),
        value => format!("{value}"),
    }
}
