//! How the link is proven after a doubt.

use std::time::Duration;

use at_codec::{CommandLine, DamageKind, Extent, Framing};
use at_port::{
    Answer, Channel, Deferred, Exchange, LinkState, Operation, OperationError, Port, PortError, PortEvent,
    PortOptions, Probe, Progress, Reaction, Rules,
};
use bytes::Bytes;
use tokio::time::Instant;

use crate::common::{Module, Setup, TestRules, ms, seen, start_with, synced, write};

/// A port whose command `AT+SLOW` got no answer in time; the first probe is not written yet.
async fn in_doubt() -> Setup {
    let mut s = synced().await;
    let running = s.run(Exchange::new(CommandLine::execute("+SLOW")).timeout(ms(300)));
    s.module.expect("AT+SLOW\r").await;
    assert!(matches!(running.await.unwrap(), Err(OperationError::Timeout { .. })));
    s
}

#[tokio::test(start_paused = true)]
async fn the_first_probe_waits_for_50_ms_of_silence() {
    let mut s = in_doubt().await;
    let begun = Instant::now();
    for _ in 0..10 {
        s.module.send("\r\n+URC: 1\r\n").await;
        s.module.expect_nothing_for(ms(49)).await;
    }
    s.module.pass_fence().await;
    assert!((ms(490)..ms(550)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_never_quiet_is_probed_after_2_s() {
    let mut s = in_doubt().await;
    let begun = Instant::now();
    let mut talker = tokio::time::interval(ms(20));
    let mut probe = [0; 9];
    loop {
        tokio::select! {
            read = tokio::io::AsyncReadExt::read_exact(&mut s.module.io, &mut probe) => break assert_eq!(read.unwrap(), 9),
            _ = talker.tick() => {}
        }
        tokio::io::AsyncWriteExt::write_all(&mut s.module.io, b"\r\n+URC: 1\r\n").await.unwrap();
    }
    assert_eq!(&probe, b"AT+CMEE?\r");
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn each_probe_has_another_name_and_only_the_last_ones_answer_counts() {
    let mut s = in_doubt().await;
    let next = s.run(Exchange::new(CommandLine::execute("+NEXT")));
    let begun = Instant::now();
    for (probe, after) in [("AT+CMEE?\r", 0), ("AT+CGATT?\r", 1), ("AT+CCLK?\r", 3), ("AT+CSQ\r", 7)] {
        s.module.expect(probe).await;
        let elapsed = begun.elapsed();
        assert!((ms(after * 1000)..ms(after * 1000 + 100)).contains(&elapsed), "{probe} after {elapsed:?}");
    }
    // The answers of all but the last prove nothing, nor does a late `OK` or a line without one.
    s.module
        .send("\r\n+CMEE: 0\r\n\r\nOK\r\n\r\nOK\r\n\r\n+CGATT: 1\r\n\r\nOK\r\n\r\n+CCLK: \"\"\r\n\r\nOK\r\n")
        .await;
    s.module.send("\r\n+CSQ: 1,1\r\n").await;
    s.module.expect_nothing_for(ms(100)).await;
    s.module.send("\r\nOK\r\n").await;
    s.module.answer("AT+NEXT\r", "\r\nOK\r\n").await;
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_probe_has_the_name_of_the_command_in_doubt() {
    let mut s = synced().await;
    for (command, probe, answer) in [
        (CommandLine::read("+CMEE"), "AT+CGATT?\r", "\r\n+CGATT: 1\r\n\r\nOK\r\n"),
        (CommandLine::raw("at+cmee?;+cgatt?").unwrap(), "AT+CCLK?\r", "\r\n+CCLK: \"\"\r\n\r\nOK\r\n"),
    ] {
        let bytes = command.as_bytes().to_vec();
        let running = s.run(Exchange::new(command).answer(Answer::Text).timeout(ms(300)));
        s.module.expect(bytes).await;
        assert!(running.await.unwrap().is_err());
        s.module.answer(probe, answer).await;
        s.check_in_step().await;
    }
}

/// A listing of all settings can hold the line that a probe would be answered with.
#[tokio::test(start_paused = true)]
async fn a_late_listing_with_the_probes_line_in_it_does_not_pass() {
    let mut s = in_doubt().await;
    let mut events = s.port.events();
    let next = s.run(Exchange::new(CommandLine::execute("+NEXT")));
    s.module.expect("AT+CMEE?\r").await;
    s.module.send("\r\nE: 1\r\n+CMEE: 2\r\n+CMGF: 1\r\n\r\nOK\r\n").await;
    s.module.expect_nothing_for(ms(500)).await;
    assert_eq!(
        seen(&mut events),
        [PortEvent::UnknownLine { length: 4 }, PortEvent::UnknownLine { length: 8 }]
    );
    s.module.send("\r\n+CMEE: 2\r\n\r\nOK\r\n").await;
    s.module.answer("AT+NEXT\r", "\r\nOK\r\n").await;
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn reports_messages_and_results_go_their_way_while_the_link_is_proven() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    let waiting = s.run(Exchange::new(write("+DO", 7)).deferred(Deferred::new(&["+DONE"], [7], ms(60_000))));
    s.module.answer("AT+DO=7\r", "\r\nOK\r\n").await;
    let running = s.run(Exchange::new(CommandLine::execute("+SLOW")).timeout(ms(300)));
    s.module.expect("AT+SLOW\r").await;
    assert!(running.await.unwrap().is_err());
    s.module.expect("AT+CMEE?\r").await;
    s.module.send("\r\n+URC: 1\r\n\r\n+MSG: 6,\r\nOK\r\n\r\n\r\n+DONE: 7,0\r\n\r\n+CMEE: 0\r\n\r\n+URC: 2\r\n\r\nOK\r\n").await;
    assert_eq!(waiting.await.unwrap().unwrap().deferred.unwrap(), "+DONE: 7,0");
    for report in ["+URC: 1", "+MSG: 6,\r\nOK\r\n", "+URC: 2"] {
        assert_eq!(reports.recv().await.unwrap(), report);
    }
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_probe_makes_way_for_the_next() {
    let mut s = in_doubt().await;
    let begun = Instant::now();
    s.module.answer("AT+CMEE?\r", "\r\nERROR\r\n").await;
    s.module.answer("AT+CGATT?\r", "\r\n+CGATT: 1\r\n\r\n+CME ERROR: 3\r\n\r\nOK\r\n").await;
    s.module.answer("AT+CCLK?\r", "\r\n+CCLK: \"\"\r\n\r\nOK\r\n").await;
    s.check_in_step().await;
    assert!(begun.elapsed() < ms(700), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_boot_report_starts_the_fence_anew() {
    let mut s = start_with(PortOptions::default(), 4096);
    s.module.expect("AT+CMEE?\r").await;
    s.module.expect("AT+CGATT?\r").await;
    s.module.send("\0\r\nRDY\r\n").await;
    // The count begins again, and the last name is not used: its answer may still come.
    let begun = Instant::now();
    let rest =
        ["AT+CMEE?\r", "AT+CCLK?\r", "AT+CSQ\r", "AT+CSCS?\r", "AT+IPR?\r", "AT+CMGF?\r", "AT+CGACT?\r"];
    for probe in rest {
        s.module.expect(probe).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(30));
    s.module.send("\r\n+CGACT: 1,1\r\n+CGACT: 2,0\r\n\r\nOK\r\n").await;
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f10_f47_a_module_that_never_answers_ends_the_port_with_the_count_of_probes() {
    for (noise, heard_anything) in [("", false), ("\x7f\x7f", true)] {
        let mut s = start_with(PortOptions::default(), 4096);
        let mut link = s.port.link();
        let running = s.run(Exchange::new(CommandLine::execute("+CSQ")));
        s.module.send(noise).await;
        let begun = Instant::now();
        let error = s.driver.await.unwrap();
        assert!(
            matches!(error, PortError::Unresponsive { probes: 7, heard_anything: heard } if heard == heard_anything)
        );
        assert!((ms(40_000)..ms(42_000)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        let error = running.await.unwrap().unwrap_err();
        assert!(matches!(error, OperationError::Port { progress: Progress::Nothing, .. }), "{error:?}");
        assert_eq!(*link.borrow_and_update(), LinkState::Dead);
    }
}

#[tokio::test(start_paused = true)]
async fn f45_the_echo_of_a_probe_tells_of_a_silent_reboot() {
    let mut s = synced().await;
    let running = s.run(Exchange::new(CommandLine::execute("E0")));
    s.module.answer("ATE0\r", "\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    let mut events = s.port.events();
    let running = s.run(Exchange::new(CommandLine::execute("+SLOW")).timeout(ms(300)));
    s.module.expect("AT+SLOW\r").await;
    assert!(running.await.unwrap().is_err());
    s.module.answer("AT+CMEE?\r", "AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    s.check_in_step().await;
    assert!(seen(&mut events).contains(&PortEvent::UnexpectedEcho));
    // The result of what it was asked before that will not come.
    s.run(Exchange::new(CommandLine::execute("E0")));
    s.module.answer("ATE0\r", "\r\nOK\r\n").await;
    let open = Exchange::new(CommandLine::execute("+OPEN")).timeout(ms(300));
    let running = s.run(open.deferred(Deferred::new(&["+OPENED"], [0], Duration::from_secs(120))));
    s.module.expect("AT+OPEN\r").await;
    let asked = Instant::now();
    s.module.answer("AT+CMEE?\r", "AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    assert!(running.await.unwrap().is_err());
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn f01_f03_f07_a_broken_line_is_no_answer_and_the_link_is_proven() {
    // A final code with a byte lost, one flipped, and one that never ends.
    for broken in ["\r\nO\r\n", "\r\nNK\r\n", "\r\nO"] {
        let mut s = synced().await;
        let running = s.run(Exchange::new(CommandLine::execute("+CSQ")).timeout(ms(2000)));
        s.module.answer("AT+CSQ\r", broken).await;
        assert!(matches!(running.await.unwrap(), Err(OperationError::Timeout { .. })), "{broken:?}");
        // What ends the silent line belongs to it.
        s.module.send("K\r\n").await;
        s.module.pass_fence().await;
        s.check_in_step().await;
    }
}

#[tokio::test(start_paused = true)]
async fn f07_half_a_line_and_silence_puts_an_idle_link_in_doubt() {
    let mut s = synced().await;
    let mut events = s.port.events();
    s.module.send("\r\n+URC: hal").await;
    s.module.expect_nothing_for(ms(500)).await;
    s.module.pass_fence().await;
    s.module.send("f\r\n").await;
    s.check_in_step().await;
    let damage = PortEvent::Damaged { kind: DamageKind::Silence, got: 9, need: 0 };
    assert_eq!(seen(&mut events)[..2], [damage, PortEvent::Link(LinkState::Suspect)]);
}

#[tokio::test(start_paused = true)]
async fn f02_f05_f06_f22_a_broken_message_is_reported_and_never_read_as_lines() {
    // Bytes lost, bytes doubled, a report inside, and a burst lost up to the silence.
    for (broken, kind) in [
        ("\r\n+MSG: 7,\r\nOK\r\nab\r\n", "Trailer"),
        ("\r\n+MSG: 4,abccd\r\n", "Trailer"),
        ("\r\n+MSG: 4,\r\n+URC: 9\r\nabcd\r\n", "Trailer"),
        ("\r\n+MSG: 90,\r\nOK\r\n+URC: 9\r\n", "Silence"),
    ] {
        let mut s = synced().await;
        let mut reports = s.port.receiver(Channel::Modem);
        let mut events = s.port.events();
        s.module.send(broken).await;
        tokio::time::sleep(ms(600)).await;
        s.module.send("\r\n").await;
        s.module.pass_fence().await;
        s.check_in_step().await;
        assert_eq!(reports.recv().await.unwrap(), format!("damaged {kind}"), "{broken:?}");
        assert!(!seen(&mut events).contains(&PortEvent::OrphanFinal), "{broken:?}");
    }
}

/// A length of which a digit was lost or added announces more than will ever come. The answers that come instead must
/// not be counted as its bytes until the port is given up.
#[tokio::test(start_paused = true)]
async fn f05_a_length_too_large_to_be_true_does_not_make_the_port_deaf() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    s.module.send(format!("\r\n+MSG: 9000000,{}\r\n", "hello".repeat(20))).await;
    // This answer may still be counted, but the line has fallen silent before the next one.
    s.module.pass_fence().await;
    s.module.answer("AT+CGATT?\r", "\r\n+CGATT: 1\r\n\r\nOK\r\n").await;
    s.check_in_step().await;
    assert_eq!(reports.recv().await.unwrap(), "damaged TooLong");
}

#[tokio::test(start_paused = true)]
async fn f09_garbage_without_end_ends_the_port() {
    let mut s = synced().await;
    let mut sent = 0;
    while tokio::io::AsyncWriteExt::write_all(&mut s.module.io, &[b'z'; 1000]).await.is_ok() {
        sent += 1000;
        assert!(sent < 200_000, "the port still listens");
    }
    assert!(matches!(s.driver.await.unwrap(), PortError::Garbage { bytes } if bytes >= 64 * 1024));
}

#[tokio::test(start_paused = true)]
async fn f46_a_brown_out_is_a_reboot_with_noise() {
    let mut s = synced().await;
    let running = s.run(Exchange::new(CommandLine::execute("+CSQ")));
    s.module.expect("AT+CSQ\r").await;
    s.module.send(b"\r\n\xff\x00\xf0\x80\x11garbage\r\n\r\nRDY\r\n").await;
    assert!(matches!(running.await.unwrap(), Err(OperationError::Reset { .. })));
    s.module.pass_fence().await;
    s.check_in_step().await;
}

/// Rules of a module that takes nothing less than CR LF for the end of a line.
struct LineFeeds;

impl Framing for LineFeeds {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        TestRules.measure(head, resume)
    }
}

impl Rules for LineFeeds {
    type Urc = Bytes;

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        TestRules.is_unsolicited(line)
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Bytes> {
        TestRules.unsolicited(line)
    }

    fn probes(&self) -> &'static [Probe] {
        &[Probe { line: b"AT+CMEE?\r", name: "+CMEE" }, Probe { line: b"AT+MODE?\r\n", name: "+MODE" }]
    }
}

#[tokio::test(start_paused = true)]
async fn lines_end_like_the_probe_that_was_answered() {
    let (host, module) = tokio::io::duplex(4096);
    let (port, driver) = Port::new(host, Box::new(LineFeeds), PortOptions::default());
    tokio::spawn(driver);
    let mut module = Module::new(module);
    let run = || {
        let (port, exchange) = (port.clone(), Exchange::new(CommandLine::execute("+NEXT")));
        let twice = Operation::sequence([exchange.clone(), exchange.timeout(ms(100))]);
        tokio::spawn(async move { port.run(twice).await })
    };
    module.answer("AT+CMEE?\r", "").await;
    let running = run();
    module.answer("AT+MODE?\r\n", "\r\n+MODE: 1\r\n\r\nOK\r\n").await;
    module.answer("AT+NEXT\r\n", "AT+NEXT\r\r\n\r\nOK\r\n").await;
    module.expect("AT+NEXT\r\n").await;
    assert!(running.await.unwrap().is_err());
    // Had the module answered to a bare CR, that would have been enough from then on.
    module.answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    let running = run();
    module.answer("AT+NEXT\r", "\r\nOK\r\n").await;
    module.answer("AT+NEXT\r", "\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
}
