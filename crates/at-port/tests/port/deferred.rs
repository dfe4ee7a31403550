//! Results that come after `OK`, before it, twice, late or never.

use std::time::Duration;

use at_port::{
    Deferred, Exchange, Lane, Operation, OperationError, Phase, PortEvent, Progress, PromptForm, Verdict,
};
use tokio::time::Instant;

use crate::common::{Running, Setup, ms, seen, synced, write};

const TIMEOUT: Duration = Duration::from_secs(30);

/// `AT+DO=n`, completed by `+DONE: n,…`; `+DONE: n,1,…` is a notice of retransmission.
fn keyed(number: i64) -> Operation {
    let judge = |fields: &mut at_codec::Fields<'_>| match fields.integer() {
        Some(1) => Verdict::Interim,
        _ => Verdict::Final,
    };
    Exchange::new(write("+DO", number))
        .deferred(Deferred::new(&["+DONE", "+DONEEX"], [number], TIMEOUT).judge(judge))
}

/// `AT+SH=n`, completed by `+SHDONE: 0,…`, whatever n is.
fn shared(number: i64) -> Operation {
    let deferred = Deferred::new(&["+SHDONE"], [0], TIMEOUT).shared_key();
    Exchange::new(write("+SH", number)).timeout(ms(1000)).deferred(deferred).lane(Lane::client(0))
}

async fn accepted(s: &mut Setup, operation: Operation, command: &str) -> Running {
    let running = s.run(operation);
    s.module.answer(command, "\r\nOK\r\n").await;
    tokio::time::sleep(ms(1)).await;
    running
}

async fn result_of(running: Running) -> String {
    let reply = running.await.unwrap().unwrap();
    String::from_utf8(reply.deferred.unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn operations_overlap_and_results_come_in_any_order() {
    let mut s = synced().await;
    let first = accepted(&mut s, keyed(1), "AT+DO=1\r").await;
    let second = accepted(&mut s, keyed(2), "AT+DO=2\r").await;
    s.module.send("\r\n+DONE: 2,0\r\n\r\n+DONEEX: 1,0\r\n").await;
    assert_eq!(result_of(second).await, "+DONE: 2,0");
    assert_eq!(result_of(first).await, "+DONEEX: 1,0");
}

#[tokio::test(start_paused = true)]
async fn f33_a_missing_result_is_a_timeout_that_leaves_the_link_alone() {
    let mut s = synced().await;
    let running =
        accepted(&mut s, Operation::sequence([Exchange::new(write("+PRE", 0))]), "AT+PRE=0\r").await;
    running.await.unwrap().unwrap();
    let two_steps = Operation::sequence([Exchange::new(write("+PRE", 1)), Exchange::new(write("+DO", 1))])
        .deferred(Deferred::new(&["+DONE"], [1], TIMEOUT));
    let running = s.run(two_steps);
    s.module.answer("AT+PRE=1\r", "\r\nOK\r\n").await;
    s.module.answer("AT+DO=1\r", "\r\nOK\r\n").await;
    let error = running.await.unwrap().unwrap_err();
    let OperationError::Timeout { command, step: 1, phase: Phase::DeferredResult, after, progress } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!((&**command, *after, *progress), ("AT+DO", TIMEOUT, Progress::Complete));
    let error = accepted(&mut s, keyed(2), "AT+DO=2\r").await.await.unwrap().unwrap_err();
    assert!(
        matches!(error, OperationError::Timeout { step: 0, phase: Phase::DeferredResult, .. }),
        "{error:?}"
    );
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn f34_a_result_before_its_ok_completes_with_the_ok() {
    let mut s = synced().await;
    let running = s.run(keyed(1));
    s.module.answer("AT+DO=1\r", "\r\n+DONE: 1,0\r\n").await;
    s.module.expect_nothing_for(ms(100)).await;
    assert!(!running.is_finished());
    s.module.send("\r\nOK\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 1,0");
    // Before an error it is kept, too.
    let running = s.run(keyed(2));
    s.module.answer("AT+DO=2\r", "\r\n+DONE: 2,23\r\n\r\nERROR\r\n").await;
    let Err(OperationError::Refused(refusal)) = running.await.unwrap() else { panic!("a refusal") };
    assert_eq!(refusal.deferred.as_deref(), Some(&b"+DONE: 2,23"[..]));
}

/// Found by simulation: a session had ended, and the module held a result of it back.
#[tokio::test(start_paused = true)]
async fn a_result_ahead_of_the_prompt_is_that_of_an_earlier_operation() {
    let mut s = synced().await;
    let publish = Exchange::new(write("+PUB", 2)).data(PromptForm::Mark, "hi".into(), TIMEOUT);
    let running = s.run(publish.deferred(Deferred::new(&["+PUBDONE"], [0], TIMEOUT).shared_key()));
    s.module.answer("AT+PUB=2\r", "\r\n+PUBDONE: 0,1\r\n\r\n> ").await;
    s.module.answer("hi", "\r\nOK\r\n").await;
    s.module.expect_nothing_for(ms(100)).await;
    assert!(!running.is_finished());
    s.module.send("\r\n+PUBDONE: 0,0\r\n").await;
    assert_eq!(result_of(running).await, "+PUBDONE: 0,0");
}

#[tokio::test(start_paused = true)]
async fn f35_an_interim_result_extends_the_wait() {
    let mut s = synced().await;
    let running = accepted(&mut s, keyed(1), "AT+DO=1\r").await;
    for _ in 0..3 {
        tokio::time::sleep(TIMEOUT - ms(100)).await;
        s.module.send("\r\n+DONE: 1,1,2\r\n").await;
    }
    tokio::time::sleep(TIMEOUT - ms(100)).await;
    s.module.send("\r\n+DONE: 1,0\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 1,0");
}

#[tokio::test(start_paused = true)]
async fn f36_a_second_result_does_no_harm() {
    let mut s = synced().await;
    let mut events = s.port.events();
    let running = s.run(keyed(1));
    s.module.answer("AT+DO=1\r", "\r\n+DONE: 1,0\r\n\r\n+DONE: 1,2\r\n\r\nOK\r\n\r\n+DONE: 1,3\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 1,0");
    s.check_in_step().await;
    assert_eq!(
        seen(&mut events),
        [PortEvent::UnknownLine { length: 10 }, PortEvent::UnknownLine { length: 10 }]
    );
}

#[tokio::test(start_paused = true)]
async fn f38_the_result_of_another_key_is_not_ours() {
    let mut s = synced().await;
    let running = accepted(&mut s, keyed(1), "AT+DO=1\r").await;
    s.module.send("\r\n+DONE: 2,0\r\n\r\n+DONE: 11,0\r\n\r\n+DONE: x\r\n").await;
    s.check_in_step().await;
    assert!(!running.is_finished());
    s.module.send("\r\n+DONE: 1,0\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 1,0");
}

#[tokio::test(start_paused = true)]
async fn the_result_arrives_although_its_ok_was_lost() {
    let mut s = synced().await;
    // It comes before the deadline of the `OK`.
    let running = s.run(keyed(1));
    s.module.answer("AT+DO=1\r", "\r\n+DONE: 1,0\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 1,0");
    s.module.pass_fence().await;
    // It comes while the link is being proven.
    let running = s.run(keyed(2));
    s.module.expect("AT+DO=2\r").await;
    s.module.expect("AT+CMEE?\r").await;
    s.module.send("\r\n+DONE: 2,0\r\n\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 2,0");
    // It does not come at all: what is reported is the missing `OK`, and the wait for that counts.
    let running = s.run(keyed(3));
    s.module.expect("AT+DO=3\r").await;
    let asked = Instant::now();
    s.module.pass_fence().await;
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(asked.elapsed(), TIMEOUT);
    assert!(matches!(error, OperationError::Timeout { phase: Phase::FinalResult, .. }), "{error:?}");
    assert_eq!(error.progress(), Progress::Complete);
}

/// A result line without the prompt's data says nothing about the data.
#[tokio::test(start_paused = true)]
async fn a_result_without_a_prompt_is_no_success() {
    let mut s = synced().await;
    let publish = Exchange::new(write("+DO", 1)).data(PromptForm::Mark, "hello".into(), TIMEOUT);
    let running = s.run(publish.deferred(Deferred::new(&["+DONE"], [1], TIMEOUT)));
    s.module.answer("AT+DO=1\r", "\r\n+DONE: 1,0\r\n").await;
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, OperationError::Timeout { phase: Phase::Prompt, .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn shared_keys_are_first_in_first_out() {
    let mut s = synced().await;
    let first = accepted(&mut s, shared(1), "AT+SH=1\r").await;
    let second = accepted(&mut s, shared(2), "AT+SH=2\r").await;
    s.module.send("\r\n+SHDONE: 0,101\r\n").await;
    assert_eq!(result_of(first).await, "+SHDONE: 0,101");
    s.module.send("\r\n+SHDONE: 0,102\r\n").await;
    assert_eq!(result_of(second).await, "+SHDONE: 0,102");
}

#[tokio::test(start_paused = true)]
async fn f37_a_late_result_of_a_shared_key_is_never_given_to_a_later_operation() {
    let mut s = synced().await;
    let first = accepted(&mut s, shared(1), "AT+SH=1\r").await;
    tokio::time::sleep(TIMEOUT / 2).await;
    let second = accepted(&mut s, shared(2), "AT+SH=2\r").await;
    // One timeout puts both in doubt, and whatever comes next with this key.
    assert!(matches!(first.await.unwrap(), Err(OperationError::Timeout { .. })));
    assert!(matches!(second.await.unwrap(), Err(OperationError::Timeout { .. })));
    let error = s.port.run(shared(3)).await.unwrap_err();
    assert!(matches!(error, OperationError::InDoubt));
    assert_eq!(error.progress(), Progress::Nothing);
    s.module.expect_nothing_for(ms(100)).await;
    // One of the two is not enough.
    s.module.send("\r\n+SHDONE: 0,101\r\n").await;
    tokio::time::sleep(ms(1)).await;
    assert!(matches!(s.port.run(shared(4)).await, Err(OperationError::InDoubt)));
    s.module.send("\r\n+SHDONE: 0,102\r\n").await;
    tokio::time::sleep(ms(1)).await;
    let fifth = accepted(&mut s, shared(5), "AT+SH=5\r").await;
    s.module.send("\r\n+SHDONE: 0,105\r\n").await;
    assert_eq!(result_of(fifth).await, "+SHDONE: 0,105");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_session_ends_the_doubt_and_the_waits() {
    let mut s = synced().await;
    let first = accepted(&mut s, shared(1), "AT+SH=1\r").await;
    assert!(first.await.unwrap().is_err());
    s.port.release(Lane::client(0)).unwrap();
    let second = accepted(&mut s, shared(2), "AT+SH=2\r").await;
    s.port.release(Lane::client(0)).unwrap();
    let Err(OperationError::Released { command, report: None }) = second.await.unwrap() else {
        panic!("released")
    };
    assert_eq!(command, "AT+SH");
    // The same by a report, which names its client.
    let third = accepted(&mut s, shared(3), "AT+SH=3\r").await;
    let other = accepted(&mut s, keyed(1).lane(Lane::client(1)), "AT+DO=1\r").await;
    s.module.send("\r\n+STAT: 0,1\r\n").await;
    let Err(OperationError::Released { report, .. }) = third.await.unwrap() else { panic!("released") };
    assert_eq!(report.as_deref(), Some(&b"+STAT: 0,1"[..]));
    s.module.send("\r\n+DONE: 1,0\r\n").await;
    assert_eq!(result_of(other).await, "+DONE: 1,0");
}

/// The report may be late or wrong, and the result come all the same: it must not be taken for the next one's. Found by
/// simulation.
#[tokio::test(start_paused = true)]
async fn what_a_report_ends_is_owed_under_a_shared_key_until_the_session_is_over() {
    let mut s = synced().await;
    let first = accepted(&mut s, shared(1), "AT+SH=1\r").await;
    s.module.send("\r\n+STAT: 0,1\r\n").await;
    assert!(matches!(first.await.unwrap(), Err(OperationError::Released { .. })));
    let refused = s.run(shared(2)).await.unwrap();
    assert!(matches!(refused, Err(OperationError::InDoubt)), "{refused:?}");
    s.port.release(Lane::client(0)).unwrap();
    let next = accepted(&mut s, shared(3), "AT+SH=3\r").await;
    s.module.send("\r\n+SHDONE: 0,7\r\n").await;
    assert_eq!(result_of(next).await, "+SHDONE: 0,7");
}

/// Neither what another client is owed, nor what cannot be mistaken for anything else, keeps anybody waiting.
#[tokio::test(start_paused = true)]
async fn a_loss_puts_nothing_in_doubt_but_its_own_shared_results() {
    let mut s = synced().await;
    let of_other = |number| {
        let deferred = Deferred::new(&["+SHDONE"], [1], TIMEOUT).shared_key();
        Exchange::new(write("+SH", number)).deferred(deferred).lane(Lane::client(1))
    };
    let other = accepted(&mut s, of_other(1), "AT+SH=1\r").await;
    let own = accepted(&mut s, keyed(5).lane(Lane::client(0)), "AT+DO=5\r").await;
    s.module.send("\r\n+STAT: 0,1\r\n").await;
    assert!(matches!(own.await.unwrap(), Err(OperationError::Released { .. })));
    let own = accepted(&mut s, keyed(5).lane(Lane::client(0)), "AT+DO=5\r").await;
    let next = accepted(&mut s, of_other(2), "AT+SH=2\r").await;
    s.module.send("\r\n+SHDONE: 1,7\r\n\r\n+SHDONE: 1,8\r\n\r\n+DONE: 5,0\r\n").await;
    assert_eq!(result_of(other).await, "+SHDONE: 1,7");
    assert_eq!(result_of(next).await, "+SHDONE: 1,8");
    assert_eq!(result_of(own).await, "+DONE: 5,0");
}

#[tokio::test(start_paused = true)]
async fn a_report_that_ends_the_wait_does_so_before_and_after_the_ok() {
    let mut s = synced().await;
    let ended = |number| {
        Exchange::new(write("+DO", number))
            .deferred(Deferred::new(&["+DONE"], [number], TIMEOUT).ended_by("+URC"))
    };
    let after = accepted(&mut s, ended(1), "AT+DO=1\r").await;
    s.module.send("\r\n+URC: 2,9\r\n\r\n+URC: 1,9\r\n").await;
    assert!(matches!(after.await.unwrap(), Err(OperationError::Released { report: Some(_), .. })));
    let before = s.run(ended(2));
    s.module.answer("AT+DO=2\r", "\r\n+URC: 2,9\r\n\r\nOK\r\n").await;
    assert!(matches!(before.await.unwrap(), Err(OperationError::Released { report: Some(_), .. })));
}

/// A report that comes before the command is out concerns the session before it.
#[tokio::test(start_paused = true)]
async fn a_loss_before_the_command_is_not_its_loss() {
    let mut s = crate::common::synced_with(at_port::PortOptions::default(), 4).await;
    let running = s.run(keyed(1).lane(Lane::client(1)));
    tokio::task::yield_now().await;
    s.module.send("\r\n+STAT: 1,1\r\n").await;
    s.module.answer("AT+DO=1\r", "\r\nOK\r\n\r\n+DONE: 1,0\r\n").await;
    assert_eq!(result_of(running).await, "+DONE: 1,0");
}

/// `AT+OP=n`, completed by `+OP: n,…`, or ended by `DENIED`, which does not say whose.
fn deniable(number: i64) -> Operation {
    let result = Deferred::new(&["+OP"], [number], TIMEOUT).refused_by(|line| line == b"DENIED");
    Exchange::new(write("+OP", number)).timeout(ms(1000)).deferred(result)
}

/// The command in flight is about to be asked for its data: a refusal that is not its own must not end it, or its data
/// would not be written and the next command be taken for it.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_nobody_is_that_of_the_operation_that_waits() {
    let mut s = synced().await;
    let mut reports = s.port.receiver(at_port::Channel::Modem);
    let waiting = accepted(&mut s, deniable(1), "AT+OP=1\r").await;
    let mark = PromptForm::Mark;
    let in_flight = s.run(Exchange::new(write("+PUT", 5)).data(mark, "hello".into(), TIMEOUT));
    s.module.answer("AT+PUT=5\r", "\r\nDENIED\r\n\r\n>").await;
    s.module.answer("hello", "\r\nOK\r\n").await;
    in_flight.await.unwrap().unwrap();
    let Err(OperationError::Released { report, .. }) = waiting.await.unwrap() else { panic!("released") };
    assert_eq!(report.as_deref(), Some(&b"DENIED"[..]));
    assert_eq!(reports.recv().await.unwrap(), "DENIED", "it is still routed");
    s.check_in_step().await;

    // Where nobody waits it answers the command in flight, before its `OK` or in the place of it.
    let refused = s.run(deniable(2));
    s.module.answer("AT+OP=2\r", "\r\nDENIED\r\n").await;
    assert!(matches!(refused.await.unwrap(), Err(OperationError::Refused(_))));
    s.check_in_step().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_may_be_that_of_several_is_nobody_s() {
    let mut s = synced().await;
    let first = accepted(&mut s, deniable(1), "AT+OP=1\r").await;
    let second = accepted(&mut s, deniable(2), "AT+OP=2\r").await;
    s.module.send("\r\nDENIED\r\n\r\n+OP: 1,0\r\n\r\n+OP: 2,0\r\n").await;
    assert_eq!((result_of(first).await, result_of(second).await), ("+OP: 1,0".into(), "+OP: 2,0".into()));
    // One of them has not been accepted yet.
    let first = accepted(&mut s, deniable(3), "AT+OP=3\r").await;
    let second = s.run(deniable(4));
    s.module.answer("AT+OP=4\r", "\r\nDENIED\r\n\r\nOK\r\n\r\n+OP: 4,0\r\n\r\n+OP: 3,0\r\n").await;
    assert_eq!((result_of(first).await, result_of(second).await), ("+OP: 3,0".into(), "+OP: 4,0".into()));
    s.check_in_step().await;
}

/// A module that has only progress to report does not keep its caller waiting for ever.
#[tokio::test(start_paused = true)]
async fn progress_without_end_comes_to_an_end() {
    let mut s = synced().await;
    let running = accepted(&mut s, keyed(1), "AT+DO=1\r").await;
    let begun = Instant::now();
    while !running.is_finished() {
        s.module.send("\r\n+DONE: 1,1,2\r\n").await;
        tokio::time::sleep(ms(1000)).await;
        assert!(begun.elapsed() < 30 * TIMEOUT);
    }
    assert!(matches!(running.await.unwrap(), Err(OperationError::Timeout { .. })));
    s.check_in_step().await;
}

/// The same name is the answer of a query and the result of another command; the query's shape decides.
#[tokio::test(start_paused = true)]
async fn a_query_with_the_name_of_a_pending_result_gets_its_answer() {
    let mut s = synced().await;
    let pending = accepted(&mut s, keyed(1), "AT+DO=1\r").await;
    let shape = |line: &[u8]| line.ends_with(b",state");
    let query =
        Exchange::new(at_codec::CommandLine::read("+DONE")).answer(at_port::Answer::Shaped("+DONE", shape));
    let query = s.run(query);
    s.module.answer("AT+DONE?\r", "\r\n+DONE: 1,state\r\n\r\nOK\r\n").await;
    assert_eq!(query.await.unwrap().unwrap().lines, ["+DONE: 1,state"]);
    assert!(!pending.is_finished());
    s.module.send("\r\n+DONE: 1,0\r\n").await;
    assert_eq!(result_of(pending).await, "+DONE: 1,0");
}
