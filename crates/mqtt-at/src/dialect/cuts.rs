//! What a module says, cut into pieces in every way: for the tests of the dialects' framing.

use std::sync::Arc;

use at_codec::{AtCodec, Extent, Frame, Framing, Limits};
use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::link::Links;
use crate::topic::TopicFilter;

/// What a dialect says about the extent of a message, as [`Framing::measure`] does.
pub(super) trait Measure: FnMut(&[u8], &mut usize) -> Extent + Send {}
impl<M: FnMut(&[u8], &mut usize) -> Extent + Send> Measure for M {}

/// The rules of a framing that measures, and leaves all else as it is.
struct Measured<M>(M);

impl<M: Measure> Framing for Measured<M> {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.0(head, resume)
    }
}

/// The frames of some bytes that come in these pieces, and what is unfinished at the end.
pub(super) fn frames_of<'a>(measure: impl Measure, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
    let mut codec = AtCodec::new(Measured(measure), Limits::default());
    let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(frame) = codec.decode(&mut buffer).unwrap() {
            frames.push(frame);
        }
    }
    frames.extend(codec.give_up(&mut buffer));
    frames
}

/// The same in one piece, byte by byte, and in two pieces cut anywhere; each time by a framing that is new.
pub(super) fn frames<M: Measure>(measure: impl Fn() -> M, bytes: &[u8]) -> Vec<Frame> {
    let whole = frames_of(measure(), [bytes]);
    let shown = bytes.escape_ascii();
    assert_eq!(frames_of(measure(), bytes.chunks(1)), whole, "byte by byte: {shown}");
    for at in 1..bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(frames_of(measure(), [first, second]), whole, "cut at {at}: {shown}");
    }
    whole
}

/// Connections where client 0 is subscribed to these filters.
pub(super) fn subscribed(filters: &[&str]) -> Arc<Links> {
    let links = Arc::new(Links::default());
    let link = links.begin(0, false);
    link.expect(filters.iter().map(|filter| TopicFilter::new(*filter).unwrap()));
    links
}
