//! What a module that receives messages sends.

use std::collections::HashSet;

use super::Seen;

/// Messages as a Quectel module reports them, with payloads of any bytes.
pub(crate) struct Stream {
    pub(crate) bytes: Vec<u8>,
    /// The same with payloads of printable characters, for contenders that take nothing else.
    pub(crate) text: Vec<u8>,
    /// How many messages.
    pub(crate) count: usize,
    /// Whether payloads are compared with those that were sent; that takes time.
    pub(crate) checks: bool,
    payloads: HashSet<Vec<u8>>,
}

/// So many payloads differ.
const DIFFERENT: usize = 256;

impl Stream {
    /// Messages with payloads of this length, about `size` bytes in all.
    pub(crate) fn new(size: usize, payload: usize) -> Self {
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut byte = || {
            // Xorshift; any bytes will do.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()[3]
        };
        let mut payloads: Vec<Vec<u8>> =
            (0..DIFFERENT).map(|_| (0..payload).map(|_| byte()).collect()).collect();
        // Some look like something else.
        for (payload, forged) in payloads.iter_mut().step_by(4).zip(FORGED.iter().cycle()) {
            let length = forged.len().min(payload.len());
            payload[..length].copy_from_slice(&forged[..length]);
        }
        let sent = payloads.iter().cloned().collect();
        let (bytes, text) = (Vec::new(), Vec::new());
        let mut stream = Self { bytes, text, count: 0, checks: false, payloads: sent };
        while stream.bytes.len() < size {
            let payload = &payloads[stream.count % DIFFERENT];
            let head = format!("\r\n+QMTRECV: 0,0,\"a/b\",{},\"", payload.len());
            let plain = payload.iter().map(|byte| b'a' + byte % 26);
            stream.bytes.extend(head.bytes().chain(payload.iter().copied()).chain(*b"\"\r\n"));
            stream.text.extend(head.bytes().chain(plain).chain(*b"\"\r\n"));
            stream.count += 1;
        }
        stream
    }

    /// Takes note of what a contender holds for a payload.
    pub(crate) fn saw(&self, payload: &[u8], seen: &mut Seen) {
        seen.frames += 1;
        seen.bytes += payload.len();
        if self.checks {
            seen.intact += usize::from(self.payloads.contains(payload));
        }
    }
}

const FORGED: [&[u8]; 4] =
    [b"\"\r\n+QMTSTAT: 0,1\r\n", b"\r\nOK\r\n", b"\r\n> ", b"\"\r\n+QMTRECV: 0,0,\"a\",1,\"x\"\r\n"];

/// What stands between the last quotation marks but one and the last, going by the stated length.
pub(crate) fn payload_of(line: &[u8]) -> &[u8] {
    // The head is the same for all but the length.
    let digits = HEAD + line.get(HEAD..).map_or(0, |rest| rest.iter().take_while(|it| **it != b',').count());
    let end = line.len().saturating_sub(1);
    line.get((digits + 2).min(end)..end).unwrap_or_default()
}

/// `+QMTRECV: 0,0,"a/b",`
const HEAD: usize = 20;
