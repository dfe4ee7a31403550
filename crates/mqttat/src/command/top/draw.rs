//! How the dashboard looks; made for 80 columns and 24 rows, and for more.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Block, Borders, Cell, Paragraph, RenderDirection, Row, Sparkline, SparklineBar, Table,
};

use super::state::{ClientRow, Kind, State};

/// The weakest signal that modules tell, in dBm.
const WEAKEST: i16 = -113;
/// The strongest.
const STRONGEST: i16 = -51;

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, look: Look) {
    let [title, radio, client, topics, reports, help] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(5),
        Constraint::Length(4),
        Constraint::Min(5),
        // A quarter of the screen; the heading is one of its rows.
        Constraint::Length((frame.area().height / 4).max(7)),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_title(frame, title, state, look);
    let [signal, registration] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(1).areas(radio);
    draw_signal(frame, signal, state, look);
    draw_registration(frame, registration, state, look);
    draw_client(frame, client, state, look);
    draw_topics(frame, topics, state, look);
    draw_reports(frame, reports, state, look);
    draw_help(frame, help, state, look);
}

/// When it is drawn, and whether in colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) now: Instant,
    pub(super) colours: bool,
}

impl Look {
    fn of(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    fn block(self, title: &str) -> Block<'_> {
        Block::new()
            .borders(Borders::TOP)
            .border_style(self.of(Color::DarkGray))
            .title(Span::styled(format!(" {title} "), Style::new().add_modifier(Modifier::BOLD)))
    }
}

/// What comes from outside does nothing to the terminal.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|it| if it.is_control() { it.escape_default().collect() } else { vec![it] })
        .collect()
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let up = clock(look.now.duration_since(state.start));
    let is_well = state.modem == "ready";
    let line = Line::from(vec![
        Span::styled("mqttat top ", Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(format!("{}  ", plain(&state.identity))),
        Span::styled(plain(&state.modem), look.of(if is_well { Color::Green } else { Color::Yellow })),
        Span::raw(format!("  {up}")),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

fn draw_signal(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let now = state.signals.back().copied().flatten();
    let title = now.map_or_else(|| "signal: none".to_owned(), |dbm| format!("signal: {dbm} dBm"));
    let height = |dbm: i16| u64::try_from(dbm.clamp(WEAKEST, STRONGEST) - WEAKEST + 1).unwrap_or_default();
    // The newest at the right edge.
    let bars = state.signals.iter().rev().map(|signal| SparklineBar::from(signal.map(height)));
    let sparkline = Sparkline::default()
        .block(look.block(&title))
        .data(bars)
        .direction(RenderDirection::RightToLeft)
        .max(height(STRONGEST))
        .absent_value_symbol("×")
        .style(look.of(Color::Cyan));
    frame.render_widget(sparkline, area);
}

fn draw_registration(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let network = &state.network;
    let operator = network.operator.as_ref();
    let technology = operator.and_then(|operator| operator.technology).map(|it| it.to_string());
    let name = operator.and_then(|operator| operator.name.clone());
    let registration = network.registration.map_or("not told", |state| state.as_str());
    let is_registered = network.registration.is_some_and(|state| state.is_registered());
    let operator: Vec<_> = [name, technology].into_iter().flatten().collect();
    let addresses: Vec<_> = network.addresses.iter().map(ToString::to_string).collect();
    let colour = if is_registered { Color::Green } else { Color::Yellow };
    let lines = vec![
        Line::from(vec![Span::styled(registration, look.of(colour))]),
        Line::raw(plain(&operator.join(", "))),
        Line::raw(format!(
            "SIM {}  {}",
            network.sim.as_ref().map_or("not told".to_owned(), |sim| plain(&sim.to_string())),
            addresses.join(" ")
        )),
    ];
    frame.render_widget(Paragraph::new(lines).block(look.block("registration")), area);
}

fn draw_client(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let block = look.block("client");
    let Some(client) = &state.client else {
        let text = Paragraph::new("no broker was named: give one with -h to see messages");
        return frame.render_widget(text.block(block), area);
    };
    let head = ["#", "identifier", "state", "window", "waiting", "sent", "/s", "received", "/s"];
    let table = Table::new([client_row(client, look)], CLIENT_COLUMNS)
        .header(Row::new(head).style(look.of(Color::DarkGray)))
        .block(block);
    frame.render_widget(table, area);
}

const CLIENT_COLUMNS: [Constraint; 9] = [
    Constraint::Length(2),
    Constraint::Length(16),
    Constraint::Min(14),
    Constraint::Length(6),
    Constraint::Length(7),
    Constraint::Length(6),
    Constraint::Length(5),
    Constraint::Length(8),
    Constraint::Length(5),
];

fn client_row(client: &ClientRow, look: Look) -> Row<'static> {
    let colour = if client.status == "connected" { Color::Green } else { Color::Red };
    let rate = |rate: f64| Cell::from(format!("{rate:.1}"));
    Row::new([
        Cell::from(client.index.to_string()),
        Cell::from(plain(&client.identifier)),
        Cell::from(plain(&client.status)).style(look.of(colour)),
        Cell::from(format!("{}/{}", client.in_flight, client.window)),
        Cell::from(client.pending.saturating_sub(client.in_flight).to_string()),
        Cell::from(client.sent.total.to_string()),
        rate(client.sent.per_second(look.now)),
        Cell::from(client.received.total.to_string()),
        rate(client.received.per_second(look.now)),
    ])
}

fn draw_topics(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let filters = state.client.as_ref().map(|client| plain(&client.filters.join(" "))).unwrap_or_default();
    let title = if filters.is_empty() { "topics".to_owned() } else { format!("topics: {filters}") };
    let mut topics: Vec<_> = state.topics.iter().collect();
    topics.sort_by_key(|(_, topic)| std::cmp::Reverse(topic.at));
    let rows = topics.into_iter().map(|(name, topic)| {
        let age = look.now.duration_since(topic.at).as_secs();
        let payload =
            std::str::from_utf8(&topic.last).map_or_else(|_| topic.last.escape_ascii().to_string(), plain);
        Row::new([
            plain(name),
            topic.count.to_string(),
            format!("{age} s"),
            topic.last.len().to_string(),
            payload,
        ])
    });
    let columns = [
        Constraint::Fill(2),
        Constraint::Length(6),
        Constraint::Length(7),
        Constraint::Length(5),
        Constraint::Fill(3),
    ];
    let head = Row::new(["topic", "count", "age", "bytes", "last message"]).style(look.of(Color::DarkGray));
    frame.render_widget(Table::new(rows, columns).header(head).block(look.block(&title)), area);
}

fn draw_reports(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let room = usize::from(area.height.saturating_sub(1));
    let mut lines = Vec::new();
    // The newest are seen whole.
    for (at, report) in state.reports.iter().rev() {
        let colour = match report.kind {
            Kind::Module => Color::Cyan,
            Kind::Library => Color::Reset,
            Kind::Failure => Color::Red,
        };
        let time = format!("{} ", clock(*at));
        let parts = wrapped(&plain(&report.text), usize::from(area.width).saturating_sub(time.len()));
        for (number, part) in parts.into_iter().enumerate().rev() {
            let margin = if number == 0 { time.clone() } else { " ".repeat(time.len()) };
            let margin = Span::styled(margin, look.of(Color::DarkGray));
            lines.push(Line::from(vec![margin, Span::styled(part, look.of(colour))]));
        }
        if lines.len() >= room {
            break;
        }
    }
    lines.truncate(room);
    lines.reverse();
    frame.render_widget(Paragraph::new(lines).block(look.block("reports")), area);
}

/// A text in lines of at most this many characters, parted at spaces where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut left = width;
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        let is_begun = left < width;
        if length > left && is_begun {
            lines.push(String::new());
            left = width;
        }
        for character in word.chars() {
            if left == 0 && character == ' ' {
                continue;
            }
            if left == 0 {
                lines.push(String::new());
                left = width.max(1);
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
            left = left.saturating_sub(1);
        }
    }
    lines
}

fn draw_help(frame: &mut Frame<'_>, area: Rect, state: &State, look: Look) {
    let line = match &state.input {
        Some(input) => {
            let question = format!("{}: ", plain(&input.question()));
            let typed = plain(input.text());
            // The end of what is typed stays in sight.
            let room = usize::from(area.width).saturating_sub(question.chars().count() + 1);
            let hidden = typed.chars().count().saturating_sub(room);
            let shown: String = typed.chars().skip(hidden).collect();
            Line::from(vec![
                Span::styled(question, Style::new().add_modifier(Modifier::BOLD)),
                Span::raw(shown),
                Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
            ])
        }
        None => Line::styled(
            "p publish  s subscribe  u unsubscribe  q quit   (Enter confirms, Esc gives up)",
            look.of(Color::DarkGray),
        ),
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// Hours, minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;
    use mqtt_at::NetworkStatus;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::state::{Input, News, Rate, Report};
    use super::*;

    /// A client in the middle of its work.
    pub(in super::super) fn example() -> State {
        let client = ClientRow {
            index: 0,
            identifier: "gateway-7".to_owned(),
            status: "connected".to_owned(),
            window: 5,
            in_flight: 0,
            pending: 0,
            sent: Rate::default(),
            received: Rate::default(),
            filters: vec!["site/7/#".to_owned()],
        };
        State::new("Quectel EC200T EC200TCNHAR02A09M16".to_owned(), Some(client))
    }

    fn busy() -> (State, Instant) {
        let mut state = example();
        let now = state.start + Duration::from_secs(3725);
        for _ in 0..20 {
            state.apply(News::Network(NetworkStatus::default()), now);
        }
        state.signals = (0..60).map(|at| (at % 7 != 3).then_some(-113 + at)).collect();
        state.apply(News::Load { pending: 9, in_flight: 5 }, now);
        for (topic, payload) in [
            ("site/7/cmd", Bytes::from_static(b"open the valve\x1b[2J")),
            ("site/7/raw", Bytes::from_static(b"\xff\x00")),
            ("site/7/cmd", Bytes::from_static("21.5 °C".as_bytes())),
        ] {
            state.apply(News::Message { topic: topic.to_owned(), payload }, now);
        }
        state.apply(News::Published(Ok(Duration::from_millis(87))), now);
        state.apply(News::Published(Err("publish: the module rebooted".to_owned())), now);
        let report = Report { kind: Kind::Module, text: "+CREG: 5".to_owned() };
        state.apply(News::Report(report), now);
        (state, now + Duration::from_secs(2))
    }

    fn drawn(state: &State, now: Instant, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state, Look { now, colours: false })).unwrap();
        let buffer = terminal.backend().buffer();
        let rows = (0..height).map(|y| {
            let row: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
            row.trim_end().to_owned() + "\n"
        });
        rows.collect()
    }

    #[test]
    fn all_of_it_fits_into_80_columns_and_24_rows() {
        let (state, now) = busy();
        let screen = drawn(&state, now, 80, 24);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/command/top/screen.txt");
            std::fs::write(path, &screen).unwrap();
        }
        assert_eq!(screen, include_str!("screen.txt"), "\n{screen}");
    }

    #[test]
    fn what_is_typed_takes_the_place_of_the_help() {
        let (mut state, now) = busy();
        let last = |state: &State| drawn(state, now, 80, 24).lines().last().unwrap().to_owned();
        assert!(last(&state).starts_with("p publish "));
        state.input = Some(Input::Subscribe("a/#".to_owned()));
        assert_eq!(last(&state), "subscribe to: a/#");
        state.input = Some(Input::Topic(format!("{}end", "x".repeat(100))));
        let long = last(&state);
        assert!(long.ends_with("xend") && long.chars().count() < 80, "{long}");
    }

    #[test]
    fn a_report_is_seen_whole_and_the_newest_last() {
        let (mut state, now) = busy();
        for number in 0..9 {
            let text = format!(
                "{number} the topic filter holds # before its last level [fault: input]; {} end",
                "give ".repeat(9)
            );
            state.apply(News::Report(Report { kind: Kind::Failure, text }), now);
        }
        let screen = drawn(&state, now, 80, 24);
        assert!(
            screen.contains("8 the topic filter")
                && screen.contains("\n        give ")
                && screen.contains(" end\n"),
            "{screen}"
        );
        assert!(
            screen.find("7 the topic filter") < screen.find("8 the topic filter")
                && !screen.contains("0 the topic"),
            "{screen}"
        );
    }

    #[test]
    fn texts_are_parted_at_spaces() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("abcdefgh i", 3), ["abc", "def", "gh ", "i"]);
        assert_eq!(wrapped("", 3), [""]);
        assert!(wrapped("ab", 0).concat() == "ab");
    }

    #[test]
    fn any_size_of_terminal_is_survived() {
        let (state, now) = busy();
        for (width, height) in [(1, 1), (10, 3), (40, 12), (200, 60)] {
            drawn(&state, now, width, height);
        }
    }

    #[test]
    fn control_characters_do_nothing() {
        let (state, now) = busy();
        assert!(!drawn(&state, now, 80, 24).contains('\x1b'));
    }
}
