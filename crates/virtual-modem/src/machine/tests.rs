//! Properties of the machine that no conversation can show.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::core::Setup;
use super::firmware::Firmware;
use super::{Machine, Start};
use crate::common::sim::Sim;
use crate::fault::FaultPlan;
use crate::quectel::Quectel;

fn machine(now: Instant) -> Machine {
    let firmware = Quectel::default();
    let setup = Setup {
        identity: firmware.identity(),
        sim: Sim::new(None),
        clients: firmware.clients(),
        faults: FaultPlan::new(),
        quirks: Vec::new(),
        rtt: Duration::ZERO,
        time_scale: 1,
        seed: 0,
        log_capacity: 1000,
        clock: None,
    };
    Machine::new(
        Box::new(firmware),
        setup,
        Start { turnaround: Duration::from_millis(1), banner: false },
        now,
    )
}

/// Everything the module says to these bytes, in the end.
fn conversation<'a>(now: Instant, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut machine = machine(now);
    let mut heard = Vec::new();
    for part in parts {
        machine.host_bytes(now, part);
    }
    // Two hours let every timer that was started run out.
    machine.advance(now + Duration::from_secs(7200));
    while let Some(piece) = machine.take_output() {
        heard.extend_from_slice(&piece.bytes);
    }
    heard
}

fn typing() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"AT".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"AT+QMTCFG=\"willex\",0,1,0,0,\"w\",5\r".to_vec()),
        Just(b"AT+QFUPL=\"f\",9,3\r".to_vec()),
        Just(b"AT+QMTOPEN=0,\"h\",1\r".to_vec()),
        Just(b"E0".to_vec()),
        Just(b"\"".to_vec()),
        Just(b";+CMEE?".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(word, 0..20).prop_map(|words| words.concat())
}

proptest! {
    /// However the host's bytes are cut, the module says the same.
    #[test]
    fn cuts_do_not_matter(typed in typing(), cut in 0_usize..100) {
        let now = Instant::now();
        let whole = conversation(now, [typed.as_slice()]);
        let (head, tail) = typed.split_at(cut.min(typed.len()));
        prop_assert_eq!(&conversation(now, [head, tail]), &whole);
        prop_assert_eq!(&conversation(now, typed.chunks(1)), &whole);
    }
}
