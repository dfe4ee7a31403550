//! Bytes to frames: lines and counted payloads, cut out of a stream that arrives in pieces.

mod atat;
mod peers;
mod stream;

use at_codec::{AtCodec, Frame, Limits};
use bytes::BytesMut;
use tokio_util::codec::{Decoder, LinesCodec};

use self::peers::{LengthRule, PlainCodec, nom_frames};
use self::stream::{Stream, payload_of};
use crate::heap;
use crate::plot::{Plot, Series};
use crate::report::{Kind, Report, row};
use crate::stopwatch::{best, time};

/// What a contender made of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Elements of any kind.
    frames: usize,
    /// Bytes of payloads.
    bytes: usize,
    /// Payloads that are those that were sent.
    intact: usize,
}

type Contender = fn(&Stream, usize) -> Seen;

const MEMCPY: usize = 0;
const PLAIN: usize = 1;
const OURS: usize = 2;
const INGRESS: usize = 7;

const CONTENDERS: [(&str, Contender); 8] = [
    ("memcpy + newline scan", newline_scan),
    ("plain codec", plain),
    ("mqtt-at's codec", ours),
    ("nom 8, streaming", nom_frames),
    ("tokio-util LinesCodec", lines),
    ("atat digester, derived", atat::derived),
    ("atat digester, length rule", atat::with_length),
    ("atat Ingress, length rule", atat::ingress),
];

/// Copies pieces into a buffer, as a read does, and lets the decoder take what it can.
fn through<D: Decoder>(
    stream: &Stream,
    piece: usize,
    mut decoder: D,
    mut take: impl FnMut(D::Item, &mut Seen),
) -> Seen
where
    D::Error: std::fmt::Debug,
{
    let mut buffer = BytesMut::with_capacity(piece.max(1024));
    let mut seen = Seen::default();
    for bytes in stream.bytes.chunks(piece) {
        buffer.reserve(bytes.len());
        buffer.extend_from_slice(bytes);
        while let Some(item) = decoder.decode(&mut buffer).expect("no decoder fails here") {
            take(item, &mut seen);
        }
    }
    seen
}

fn ours(stream: &Stream, piece: usize) -> Seen {
    let codec = AtCodec::new(LengthRule, Limits::default());
    through(stream, piece, codec, |frame, seen| {
        if let Frame::Line(line) = frame {
            stream.saw(payload_of(&line), seen);
        }
    })
}

fn plain(stream: &Stream, piece: usize) -> Seen {
    through(stream, piece, PlainCodec::default(), |line, seen| {
        stream.saw(payload_of(&line), seen);
    })
}

fn lines(stream: &Stream, piece: usize) -> Seen {
    // What is not text would end the stream: it is given the same bytes without the high half.
    let mut buffer = BytesMut::with_capacity(piece.max(1024));
    let (mut codec, mut seen) = (LinesCodec::new(), Seen::default());
    for bytes in stream.text.chunks(piece) {
        buffer.extend_from_slice(bytes);
        while let Ok(Some(line)) = codec.decode(&mut buffer) {
            stream.saw(payload_of(line.as_bytes()), &mut seen);
        }
    }
    seen
}

fn newline_scan(stream: &Stream, piece: usize) -> Seen {
    let mut buffer = vec![0; piece];
    let mut seen = Seen::default();
    for bytes in stream.bytes.chunks(piece) {
        let buffer = &mut buffer[..bytes.len()];
        buffer.copy_from_slice(bytes);
        // Where each is, not only how many: that is what a decoder has to know.
        memchr::memchr_iter(b'\n', buffer).for_each(|at| {
            seen.frames += 1;
            seen.bytes ^= at;
        });
    }
    seen
}

pub(crate) fn run(report: &mut Report) {
    report.heading("Framing");
    let mut stream = Stream::new(1 << 20, 91);
    let pieces = [16, 1024, 64 * 1024];
    let rounds = report.choose(64, 1);
    let rates = rates(&stream, &pieces, rounds);
    let mut rows = vec![row([
        "contender",
        "16 B pieces",
        "1 KiB",
        "64 KiB",
        "allocations per frame",
        "payloads intact",
    ])];
    let mut counted = Vec::new();
    stream.checks = true;
    for (number, (name, contender)) in CONTENDERS.iter().enumerate() {
        let (seen, heap) = heap::watch(|| contender(&stream, 1024));
        let per_frame = heap.allocations as f64 / stream.count as f64;
        let intact = 100.0 * seen.intact as f64 / stream.count as f64;
        counted.push((per_frame, intact));
        let mut cells = vec![(*name).to_owned()];
        cells.extend(rates[number].iter().map(|rate| format!("{rate:.0} MB/s")));
        cells.push(format!("{per_frame:.3}"));
        cells.push(if number == MEMCPY || number == INGRESS {
            "–".to_owned()
        } else {
            format!("{intact:.0} %")
        });
        rows.push(cells);
    }
    report.table(&rows);
    stream.checks = false;

    let mut goals = vec![Report::goal_head()];
    for (at, size) in [(1, "1 KiB"), (2, "64 KiB")] {
        for (peer, name, factor) in [(PLAIN, "plain codec", 0.8), (MEMCPY, "newline scan", 0.5)] {
            let ratio = rates[OURS][at] / rates[peer][at];
            let (what, goal) =
                (format!("framing, {size} pieces, against the {name}"), format!("≥ {factor}×"));
            goals.push(report.goal(Kind::Timed, what, goal, format!("{ratio:.2}×"), ratio >= factor));
        }
    }
    for (at, size) in [(0, "16 B"), (2, "64 KiB")] {
        let ratio = rates[OURS][at] / rates[INGRESS][at];
        let what = format!("framing, {size} pieces, against atat's Ingress");
        goals.push(report.goal(Kind::Timed, what, "≥ 3×", format!("{ratio:.1}×"), ratio >= 3.0));
    }
    let (per_frame, intact) = counted[OURS];
    let result = format!("{per_frame:.4}");
    goals.push(report.goal(Kind::Counted, "allocations per frame", "0", result, per_frame < 0.001));
    let result = format!("{intact:.0} %");
    goals.push(report.goal(Kind::Counted, "payloads intact (binary)", "100 %", result, intact >= 100.0));
    goals.push(bytewise(report));
    report.table(&goals);
    if !report.is_quick() {
        plot(report, &stream);
    }
}

/// Megabytes per second of each contender for each size of pieces. Contenders take turns, and each turn is so short that
/// on a busy machine some are not interrupted; the slow ones have fewer.
fn rates(stream: &Stream, pieces: &[usize], rounds: usize) -> Vec<Vec<f64>> {
    let mut times = vec![vec![Vec::new(); pieces.len()]; CONTENDERS.len()];
    for _ in 0..rounds {
        for (times, (_, contender)) in times.iter_mut().zip(CONTENDERS) {
            for (times, piece) in times.iter_mut().zip(pieces) {
                if times.iter().sum::<f64>() < ENOUGH {
                    let (_, took) = time(|| std::hint::black_box(contender(stream, *piece)));
                    times.push(took.as_secs_f64());
                }
            }
        }
    }
    let rate = |times: Vec<f64>| stream.bytes.len() as f64 / best(times) / 1e6;
    times.into_iter().map(|times| times.into_iter().map(rate).collect()).collect()
}

/// So many seconds are enough for a contender with pieces of one size.
const ENOUGH: f64 = 1.0;

/// One byte at a time, payloads of 128 B and of 10 KiB.
fn bytewise(report: &mut Report) -> Vec<String> {
    let nanoseconds = |payload| {
        let stream = Stream::new(1 << 18, payload);
        let rounds = (0..report.choose(40, 1)).map(|_| time(|| ours(&stream, 1)).1.as_nanos() as f64);
        best(rounds) / stream.bytes.len() as f64
    };
    let (short, long) = (nanoseconds(128), nanoseconds(10 * 1024));
    let result = format!("{short:.1} → {long:.1} ns");
    report.goal(
        Kind::Timed,
        "one byte per read, per byte, 128 B → 10 KiB payloads",
        "flat",
        result,
        long <= short * 1.1,
    )
}

fn plot(report: &Report, stream: &Stream) {
    let pieces: Vec<usize> = (0..9).map(|power| 1 << (2 * power)).collect();
    let rates = rates(stream, &pieces, 8);
    let series = CONTENDERS.iter().zip(rates).enumerate().filter(|(number, _)| *number != 5);
    let plot = Plot {
        title: "Framing: payloads of 91 bytes in lines of 117",
        x: "bytes per read",
        y: "MB/s",
        series: series
            .map(|(number, ((name, _), rates))| Series {
                name: (*name).to_owned(),
                points: pieces.iter().map(|piece| *piece as f64).zip(rates).collect(),
                dashed: number == MEMCPY,
            })
            .collect(),
    };
    report.plot("framing.svg", &plot.svg());
}
