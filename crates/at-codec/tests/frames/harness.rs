//! Feeding a codec, in pieces.

use at_codec::{AtCodec, Frame, Framing, Limits, Pending};
use bytes::BytesMut;
use tokio_util::codec::Decoder;

/// A port: a codec and the buffer it reads from.
#[derive(Debug, Clone)]
pub(crate) struct Port<F> {
    pub(crate) codec: AtCodec<F>,
    pub(crate) buffer: BytesMut,
}

impl<F: Framing> Port<F> {
    pub(crate) fn new(framing: F, limits: Limits) -> Self {
        Self { codec: AtCodec::new(framing, limits), buffer: BytesMut::new() }
    }

    /// One read, and all frames it completes.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.buffer.extend_from_slice(bytes);
        let mut frames = Vec::new();
        loop {
            let before = self.buffer.len();
            let frame = self.codec.decode(&mut self.buffer).unwrap();
            assert!(self.buffer.len() <= before, "the codec only consumes");
            match frame {
                Some(frame) => frames.push(frame),
                None => return frames,
            }
        }
    }

    /// Reads of `size` bytes each.
    pub(crate) fn read_in_pieces(&mut self, bytes: &[u8], size: usize) -> Vec<Frame> {
        bytes.chunks(size).flat_map(|piece| self.read(piece)).collect()
    }

    pub(crate) fn pending(&self) -> Pending {
        self.codec.pending()
    }

    pub(crate) fn give_up(&mut self) -> Option<Frame> {
        self.codec.give_up(&mut self.buffer)
    }
}

pub(crate) fn line(text: impl AsRef<[u8]>) -> Frame {
    Frame::Line(text.as_ref().to_vec().into())
}

/// Runs `bytes` whole, byte by byte and cut in two at every place, and returns the frames, which are always the same.
pub(crate) fn at_every_split<F: Framing + Clone>(port: &Port<F>, bytes: &[u8]) -> Vec<Frame> {
    let whole = port.clone().read(bytes);
    assert_eq!(port.clone().read_in_pieces(bytes, 1), whole, "byte by byte");
    for at in 1..bytes.len() {
        let mut port = port.clone();
        let mut frames = port.read(&bytes[..at]);
        frames.extend(port.read(&bytes[at..]));
        assert_eq!(frames, whole, "cut at {at}");
    }
    whole
}
