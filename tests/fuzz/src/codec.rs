//! The codec: it survives anything, finds back into step, and does not care how the bytes were cut.

use at_codec::{AtCodec, DamageKind, Extent, Frame, Framing, Limits, LinesOnly, PromptKind};
use bytes::BytesMut;
use tokio_util::codec::Decoder;

use super::source::Source;

/// `+M:` with a count, a comma and as many bytes, which a line end has to follow.
#[derive(Clone)]
struct Counted;

impl Framing for Counted {
    fn measure(&mut self, head: &[u8], _resume: &mut usize) -> Extent {
        let prefix = b"+M:";
        let common = head.len().min(prefix.len());
        if head[..common] != prefix[..common] {
            return Extent::Line;
        }
        let digits = head[common..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        match head.get(prefix.len() + digits) {
            None if digits < 6 => return Extent::NeedMore(head.len() + 1),
            Some(b',') if (1..6).contains(&digits) => {}
            _ => return Extent::Line,
        }
        let start = prefix.len() + digits + 1;
        let count = std::str::from_utf8(&head[prefix.len()..start - 1]).unwrap().parse::<usize>().unwrap();
        let need = start + count;
        match head.get(need..need + 2) {
            None => Extent::NeedMore(need + 2),
            Some(b"\r\n") => Extent::Exactly(need),
            Some(_) => Extent::Damaged { skip: need, need, kind: DamageKind::Trailer },
        }
    }
}

struct Ear<F> {
    codec: AtCodec<F>,
    inbox: BytesMut,
}

impl<F: Framing> Ear<F> {
    fn new(framing: F, mode: u8) -> Self {
        let limits = match mode & 3 {
            0 => Limits::default(),
            1 => Limits::default().max_line(3).max_element(16),
            2 => Limits::default().lone_line_feed(true),
            _ => Limits::default().max_line(16).max_element(64).lone_line_feed(true),
        };
        let mut codec = AtCodec::new(framing, limits);
        if mode & 4 == 4 {
            codec.arm_prompt(Some(PromptKind::Data));
        }
        Self { codec, inbox: BytesMut::new() }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.inbox.extend_from_slice(bytes);
        let frames = std::iter::from_fn(|| self.codec.decode(&mut self.inbox).expect("it never fails"));
        frames.collect()
    }
}

/// Any bytes: as many at most come out as went in, what waits is bounded, and after a silence and a line end every
/// line is read again.
pub fn codec_bytes(data: &[u8]) {
    let mut source = Source(data);
    let mode = source.byte();
    if mode & 8 == 0 { check_bytes(LinesOnly, mode, source.0) } else { check_bytes(Counted, mode, source.0) }
}

fn check_bytes<F: Framing>(framing: F, mode: u8, bytes: &[u8]) {
    let mut ear = Ear::new(framing, mode);
    let mut read = 0;
    for byte in bytes.chunks(7) {
        for frame in ear.hear(byte) {
            match frame {
                Frame::Line(line) => read += line.len(),
                Frame::Prompt => read += 1,
                _ => {}
            }
        }
        assert!(ear.inbox.len() <= 70_000, "{} bytes wait", ear.inbox.len());
    }
    assert!(read <= bytes.len(), "{read} bytes came out of {}", bytes.len());
    ear.codec.arm_prompt(None);
    ear.codec.give_up(&mut ear.inbox);
    ear.hear(b"\r\n");
    assert_eq!(ear.hear(b"OK\r\n"), [Frame::Line("OK".into())], "it is in step again");
}

/// However the bytes are cut, the frames are the same.
pub fn codec_splits(data: &[u8]) {
    let mut source = Source(data);
    let mode = source.byte();
    let pieces = source.pieces();
    if mode & 8 == 0 { check_splits(LinesOnly, mode, &pieces) } else { check_splits(Counted, mode, &pieces) }
}

fn check_splits<F: Framing + Clone>(framing: F, mode: u8, pieces: &[&[u8]]) {
    let whole = Ear::new(framing.clone(), mode).hear(&pieces.concat());
    let mut ear = Ear::new(framing, mode);
    let cut: Vec<_> = pieces.iter().flat_map(|piece| ear.hear(piece)).collect();
    assert_eq!(whole, cut);
}
