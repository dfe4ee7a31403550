//! Commands and their answers: which line belongs to whom.

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{
    Answer, Channel, ErrorCode, Exchange, FinalResult, Lane, LinkState, Operation, OperationError, Phase,
    PortEvent, Progress,
};

use crate::common::{ms, seen, synced, write};

fn csq() -> Exchange {
    Exchange::new(CommandLine::execute("+CSQ")).answer(Answer::Named("+CSQ"))
}

#[tokio::test(start_paused = true)]
async fn f08_lines_in_one_byte_reads_mean_the_same() {
    let mut s = synced().await;
    let running = s.run(csq());
    s.module.expect("AT+CSQ\r").await;
    for byte in b"AT+CSQ\r\r\n+CSQ: 24,99\r\n\r\nOK\r\n" {
        s.module.send([*byte]).await;
        tokio::time::sleep(ms(1)).await;
    }
    let reply = running.await.unwrap().unwrap();
    assert_eq!((reply.lines, reply.result), (vec!["+CSQ: 24,99".into()], FinalResult::Ok));
}

#[tokio::test(start_paused = true)]
async fn f11_echo_is_dropped_and_its_return_is_reported_once() {
    let mut s = synced().await;
    let mut events = s.port.events();
    // Echo is on, with noise before it, and then switched off.
    let running = s.run(csq());
    s.module.answer("AT+CSQ\r", "\x01\x02AT+CSQ\r\r\n+CSQ: 1,99\r\n\r\nOK\r\n").await;
    assert_eq!(running.await.unwrap().unwrap().lines, ["+CSQ: 1,99"]);
    let running = s.run(Exchange::new(CommandLine::execute("E0")));
    s.module.answer("ATE0\r", "ATE0\r\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.check_in_step().await;
    assert_eq!(seen(&mut events), []);
    // It comes back: the module has lost its settings.
    for times in [1, 0] {
        let running = s.run(csq());
        s.module.answer("AT+CSQ\r", "AT+CSQ\r\r\n+CSQ: 2,99\r\n\r\nOK\r\n").await;
        assert_eq!(running.await.unwrap().unwrap().lines, ["+CSQ: 2,99"]);
        assert_eq!(seen(&mut events), vec![PortEvent::UnexpectedEcho; times]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_not_needed_when_its_turn_comes_is_left_out() {
    let mut s = synced().await;
    for is_needed in [true, false] {
        let (first, last) = (CommandLine::execute(""), CommandLine::execute("+CGMR"));
        let steps = [Exchange::new(first), csq().only_if(move || is_needed), Exchange::new(last)];
        let running = s.run(Operation::sequence(steps));
        s.module.answer("AT\r", "\r\nOK\r\n").await;
        if is_needed {
            s.module.answer("AT+CSQ\r", "\r\n+CSQ: 1,99\r\n\r\nOK\r\n").await;
        }
        s.module.answer("AT+CGMR\r", "\r\nERROR\r\n").await;
        let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("it is refused") };
        assert_eq!((refusal.command.as_str(), refusal.step), ("AT+CGMR", 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_looks_like_an_echo_is_delivered() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    let running = s.run(csq());
    s.module.answer("AT+CSQ\r", "\r\n+MSG: 6,AT+CSQ\r\n\r\n+CSQ: 1,99\r\n\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    assert_eq!(reports.try_recv().unwrap(), "+MSG: 6,AT+CSQ");
    // The same in the answer of a command that fetches a message.
    let running = s.run(Exchange::new(write("+READ", 1)).answer(Answer::Named("+READ")));
    s.module.answer("AT+READ=1\r", "\r\n+READ: 9,AT+READ=1\r\n\r\nOK\r\n").await;
    assert_eq!(running.await.unwrap().unwrap().lines, ["+READ: 9,AT+READ=1"]);
}

#[tokio::test(start_paused = true)]
async fn f12_odd_line_ends_and_nuls_are_tolerated() {
    let mut s = crate::common::start_with(at_port::PortOptions::default(), 4096);
    s.module.send(b"\0\0\xff\xfe\r\n\r\n").await;
    s.module.pass_fence().await;
    let running = s.run(csq());
    s.module.answer("AT+CSQ\r", "\r\r\n\n\r+CSQ: 7,99\r\r\n\r\n\r\nOK\r\r\n").await;
    assert_eq!(running.await.unwrap().unwrap().lines, ["+CSQ: 7,99"]);
}

#[tokio::test(start_paused = true)]
async fn f15_no_answer_is_a_timeout_in_time_and_the_link_is_proven_again() {
    let mut s = synced().await;
    let running = s.run(csq().timeout(Duration::from_secs(3)));
    s.module.expect("AT+CSQ\r").await;
    let asked = tokio::time::Instant::now();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(asked.elapsed(), Duration::from_secs(3));
    let OperationError::Timeout { command, step: 0, phase: Phase::FinalResult, after, progress } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!((&*command, after, progress), ("AT+CSQ", Duration::from_secs(3), Progress::Complete));
    assert_eq!(*s.port.link().borrow(), LinkState::Suspect);
    s.module.pass_fence().await;
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f16_an_answer_after_the_deadline_is_nobodys() {
    let mut s = synced().await;
    let running = s.run(csq().timeout(ms(300)));
    s.module.expect("AT+CSQ\r").await;
    assert!(matches!(running.await.unwrap(), Err(OperationError::Timeout { .. })));
    let next = s.run(csq());
    s.module.send("\r\n+CSQ: 1,1\r\n\r\nOK\r\n").await;
    s.module.pass_fence().await;
    s.module.answer("AT+CSQ\r", "\r\n+CSQ: 2,2\r\n\r\nOK\r\n").await;
    assert_eq!(next.await.unwrap().unwrap().lines, ["+CSQ: 2,2"]);
}

#[tokio::test(start_paused = true)]
async fn f17_an_answer_that_comes_behind_the_probe_is_nobodys() {
    let mut s = synced().await;
    let running = s.run(csq().timeout(ms(300)));
    s.module.expect("AT+CSQ\r").await;
    assert!(running.await.unwrap().is_err());
    let next = s.run(csq());
    s.module.expect("AT+CMEE?\r").await;
    s.module.send("\r\n+CSQ: 1,1\r\n\r\nOK\r\n").await;
    s.module.expect_nothing_for(ms(900)).await;
    s.module.send("\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    s.module.answer("AT+CSQ\r", "\r\n+CSQ: 2,2\r\n\r\nOK\r\n").await;
    assert_eq!(next.await.unwrap().unwrap().lines, ["+CSQ: 2,2"]);
}

#[tokio::test(start_paused = true)]
async fn f18_a_second_final_code_puts_the_link_in_doubt() {
    let mut s = synced().await;
    let mut events = s.port.events();
    let running = s.run(csq());
    s.module.answer("AT+CSQ\r", "\r\n+CSQ: 1,1\r\n\r\nOK\r\n\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    s.module.pass_fence().await;
    s.check_in_step().await;
    let events = seen(&mut events);
    assert_eq!(events[..2], [PortEvent::OrphanFinal, PortEvent::Link(LinkState::Suspect)]);
    assert_eq!(events[2..], [PortEvent::Fenced { probes: 1 }, PortEvent::Link(LinkState::Synced)]);
}

#[tokio::test(start_paused = true)]
async fn f19_an_error_in_mid_reply_keeps_its_code_and_the_lines_before_it() {
    let mut s = synced().await;
    let results = [
        ("ERROR", FinalResult::Error),
        ("+CME ERROR: 58", FinalResult::Cme(ErrorCode::Number(58))),
        ("+CMS ERROR: memory full", FinalResult::Cms(ErrorCode::Text("memory full".into()))),
        ("ERROR: 703", FinalResult::Vendor { line: "ERROR: 703".into(), success: false }),
    ];
    for (text, result) in results {
        let running = s.run(csq());
        s.module.answer("AT+CSQ\r", &format!("\r\n+CSQ: 1,1\r\n\r\n{text}\r\n")).await;
        let Err(OperationError::Refused(refusal)) = running.await.unwrap() else {
            panic!("{text} is a refusal")
        };
        assert_eq!((&*refusal.command, refusal.step, &refusal.result), ("AT+CSQ", 0, &result));
        assert_eq!((&refusal.lines, refusal.progress), (&vec!["+CSQ: 1,1".into()], Progress::Complete));
        s.check_in_step().await;
    }
}

#[tokio::test(start_paused = true)]
async fn f20_the_line_of_another_command_is_not_ours() {
    let mut s = synced().await;
    let mut events = s.port.events();
    let running = s.run(csq());
    s.module.answer("AT+CSQ\r", "\r\n+COPS: 0\r\n\r\n+CSQ: 3,3\r\n\r\nOK\r\n").await;
    assert_eq!(running.await.unwrap().unwrap().lines, ["+CSQ: 3,3"]);
    assert_eq!(seen(&mut events), [PortEvent::UnknownLine { length: 8 }]);
}

#[tokio::test(start_paused = true)]
async fn f21_reports_between_the_lines_of_a_reply_are_delivered_once() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    // An answer that shares its name with a report: two numbers are the answer, one is the report.
    let shape = |line: &[u8]| line.contains(&b',');
    let creg = || Exchange::new(CommandLine::read("+CREG")).answer(Answer::Shaped("+CREG", shape));
    let parts = ["AT+CREG?\r", "\r\n+CREG: 0,1\r\n", "\r\nOK\r\n"];
    for position in 0..parts.len() {
        let running = s.run(creg());
        s.module.expect("AT+CREG?\r").await;
        for (index, part) in parts.iter().enumerate() {
            if index == position {
                s.module.send("\r\n+CREG: 5\r\n").await;
            }
            s.module.send(part).await;
        }
        let reply = running.await.unwrap().unwrap();
        assert_eq!(reply.lines, ["+CREG: 0,1"]);
        assert_eq!(reports.try_recv().unwrap(), "+CREG: 5");
        assert!(reports.try_recv().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn f23_an_unknown_command_is_a_refusal_and_nothing_more() {
    let mut s = synced().await;
    let running = s.run(Exchange::new(CommandLine::read("+NOSUCH")).answer(Answer::Text));
    s.module.answer("AT+NOSUCH?\r", "\r\nERROR\r\n").await;
    let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("a refusal") };
    assert_eq!(refusal.result, FinalResult::Error);
    assert_eq!(*s.port.link().borrow(), LinkState::Synced);
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn free_text_is_taken_as_it_comes_but_reports_are_not() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(Channel::Modem);
    let running = s.run(Exchange::new(CommandLine::execute("I")).answer(Answer::Text));
    s.module.answer("ATI\r", "ATI\r\r\nQuectel\r\nEC200U\r\n+URC: 1\r\nRevision: 7\r\n\r\nOK\r\n").await;
    assert_eq!(running.await.unwrap().unwrap().lines, ["Quectel", "EC200U", "Revision: 7"]);
    assert_eq!(reports.try_recv().unwrap(), "+URC: 1");
}

#[tokio::test(start_paused = true)]
async fn a_sequence_is_one_and_ends_with_the_first_refusal() {
    let mut s = synced().await;
    let steps = || (1..=3).map(|number| Exchange::new(write("+STEP", number)).answer(Answer::Named("+STEP")));
    let running = s.run(Operation::sequence(steps()));
    let other = s.run(csq());
    for number in 1..=3 {
        let answer = format!("\r\n+STEP: {number}\r\n\r\nOK\r\n");
        s.module.answer(&format!("AT+STEP={number}\r"), &answer).await;
    }
    assert_eq!(running.await.unwrap().unwrap().lines, ["+STEP: 1", "+STEP: 2", "+STEP: 3"]);
    s.module.answer("AT+CSQ\r", "\r\nOK\r\n").await;
    other.await.unwrap().unwrap();

    let running = s.run(Operation::sequence(steps()));
    s.module.answer("AT+STEP=1\r", "\r\n+STEP: 1\r\n\r\nOK\r\n").await;
    s.module.answer("AT+STEP=2\r", "\r\n+STEP: 2\r\n\r\nERROR\r\n").await;
    let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("a refusal") };
    assert_eq!(
        (refusal.step, refusal.progress, refusal.lines),
        (1, Progress::Begun, vec!["+STEP: 2".into()])
    );
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn a_sequence_waits_between_two_steps_for_a_link_in_doubt() {
    let mut s = synced().await;
    let running = s.run(Operation::sequence((1..=2).map(|number| Exchange::new(write("+STEP", number)))));
    s.module.expect("AT+STEP=1\r").await;
    s.module.send("\r\n+MSG: 2,abcd\r\n\r\nOK\r\n").await;
    s.module.pass_fence().await;
    s.module.answer("AT+STEP=2\r", "\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn f44_a_reboot_fails_what_is_in_flight_waiting_and_queued() {
    let mut s = synced().await;
    let mut events = s.port.events();
    let deferred = at_port::Deferred::new(&["+DONE"], [7], Duration::from_secs(60));
    let waiting = s.run(Exchange::new(write("+DO", 7)).deferred(deferred));
    s.module.answer("AT+DO=7\r", "\r\nOK\r\n").await;
    let flying = s.run(csq());
    s.module.expect("AT+CSQ\r").await;
    let queued = s.run(Operation::from(csq()).lane(Lane::CONTROL));
    tokio::task::yield_now().await;
    s.module.send("\r\nRDY\r\n").await;
    for (running, expected) in
        [(waiting, Progress::Complete), (flying, Progress::Complete), (queued, Progress::Nothing)]
    {
        let Err(OperationError::Reset { progress }) = running.await.unwrap() else { panic!("a reset") };
        assert_eq!(progress, expected);
    }
    s.module.pass_fence().await;
    s.check_in_step().await;
    assert!(seen(&mut events).contains(&PortEvent::Reboot));
}

/// Nothing that comes before the command is out can be its answer, whatever its name.
#[tokio::test(start_paused = true)]
async fn f21_a_report_that_meets_a_half_written_command_is_a_report() {
    let mut s = crate::common::synced_with(at_port::PortOptions::default(), 4).await;
    let mut reports = s.port.receiver(Channel::Modem);
    let running = s.run(Exchange::new(CommandLine::read("+CREG")).answer(Answer::Named("+CREG")));
    tokio::task::yield_now().await;
    s.module.send("\r\n+CREG: 5\r\n").await;
    assert_eq!(reports.recv().await.unwrap(), "+CREG: 5");
    s.module.answer("AT+CREG?\r", "\r\n+CREG: 0,1\r\n\r\nOK\r\n").await;
    assert_eq!(running.await.unwrap().unwrap().lines, ["+CREG: 0,1"]);
}
