//! No secret reaches the witness, an event or an error.

use std::time::Duration;

use at_codec::{Charset, CommandLine};
use at_port::{Answer, Exchange, PortOptions, PromptForm};

use crate::common::{Setup, Witness, ms, seen, synced_with};

const SECRET: &str = "opensesame";

fn login() -> Exchange {
    let line = CommandLine::write("+LOGIN").secret("password", SECRET, Charset::UTF8, 64).unwrap().finish();
    Exchange::new(line).answer(Answer::Named("+LOGIN")).timeout(ms(2000))
}

async fn witnessed() -> (Setup, Witness) {
    let witness = Witness::default();
    let mut options = PortOptions::default();
    options.tap = Some(Box::new(witness.clone()));
    (synced_with(options, 4096).await, witness)
}

/// Plays one course with a secret in it, and looks at everything that can be seen from outside.
macro_rules! check_hidden {
    ($exchange:expr, $command:expr, $shown:expr, $($sent:expr),+) => {{
        let (mut s, witness) = witnessed().await;
        let mut events = s.port.events();
        let running = s.run($exchange);
        s.module.expect($command).await;
        $(
            s.module.send($sent).await;
            tokio::time::sleep(ms(900)).await;
        )+
        tokio::time::sleep(Duration::from_secs(2)).await;
        let outcome = running.await.unwrap();
        let said = format!("{:?} {:?}", outcome.as_ref().err(), seen(&mut events));
        let text = witness.0.lock().unwrap().clone();
        assert!(!text.contains(SECRET) && !text.contains("sesame"), "{text}");
        assert!(!said.contains(SECRET) && !said.contains("sesame"), "{said}");
        assert!(text.contains($shown), "{text}");
    }};
}

const LOGIN: &str = "AT+LOGIN=\"opensesame\"\r";

#[tokio::test(start_paused = true)]
async fn a_secret_argument_is_masked_in_command_and_echo() {
    check_hidden!(
        login(),
        LOGIN,
        "> AT+LOGIN=***\necho AT+LOGIN=***\n",
        "AT+LOGIN=\"opensesame\"\r\r\n",
        "\r\nOK\r\n"
    );
}

#[tokio::test(start_paused = true)]
async fn an_echo_that_noise_has_broken_is_not_shown() {
    check_hidden!(
        login(),
        LOGIN,
        "SecretLine",
        "AX+LOGIN=\"opensesame\"\r\r\n",
        "\r\n+LOGIN: 1\r\n\r\nOK\r\n"
    );
    // Nor one that breaks off, which is an event without its bytes.
    check_hidden!(login(), LOGIN, "Dropped", "AT+LOGIN=\"opensesame", "\"\r\r\n\r\nOK\r\n");
}

#[tokio::test(start_paused = true)]
async fn an_echo_that_comes_after_the_deadline_is_not_shown() {
    check_hidden!(login(), LOGIN, "SecretLine", "", "", "", "AT+LOGIN=\"opensesame\"\r\r\n\r\nOK\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_secret_answer_is_not_shown_in_time_or_late() {
    let get = || {
        Exchange::new(CommandLine::read("+KEY"))
            .answer(Answer::Named("+KEY"))
            .timeout(ms(2000))
            .secret_answer()
    };
    check_hidden!(get(), "AT+KEY?\r", "SecretLine\n< OK", "\r\n+KEY: opensesame\r\n\r\nOK\r\n");
    check_hidden!(get(), "AT+KEY?\r", "SecretLine", "", "", "", "\r\n+KEY: opensesame\r\n\r\nOK\r\n");
}

#[tokio::test(start_paused = true)]
async fn secret_data_is_not_shown_nor_is_its_echo() {
    let put = CommandLine::write("+PUT").integer(10).finish();
    let put = Exchange::new(put).data(PromptForm::Mark, SECRET.into(), ms(5000)).secret_data();
    check_hidden!(put, "AT+PUT=10\r", "SecretData { bytes: 10 }", "\r\n> ", "opensesame\r\n\r\nOK\r\n");
}

#[tokio::test(start_paused = true)]
async fn other_data_is_shown_as_what_it_is() {
    let (mut s, witness) = witnessed().await;
    let put = CommandLine::write("+PUT").integer(2).finish();
    let running = s.run(Exchange::new(put).data(PromptForm::Mark, "hi".into(), ms(5000)));
    s.module.answer("AT+PUT=2\r", "\r\n> ").await;
    s.module.answer("hi", "\r\nOK\r\n").await;
    running.await.unwrap().unwrap();
    let text = witness.0.lock().unwrap().clone();
    assert!(text.ends_with("> AT+PUT=2\nPrompt\nData(b\"hi\")\n< OK\n"), "{text}");
}

/// Found by simulation: noise had broken a line in two, and each echo came one command late.
#[tokio::test(start_paused = true)]
async fn an_echo_that_comes_with_the_next_command_is_not_shown() {
    for echo in ["AT+LOGIN=\"opensesame\"", "A\x01+LOGIN=\"openses\x02me\"", "+URC: \"opensesame"] {
        let (mut s, witness) = witnessed().await;
        let running = s.run(login());
        s.module.answer(LOGIN, "\r\nOK\r\n").await;
        running.await.unwrap().unwrap();
        let running = s.run(Exchange::new(CommandLine::execute("+NEXT")).timeout(ms(2000)));
        s.module.answer("AT+NEXT\r", &format!("{echo}\r\r\n\r\nOK\r\n")).await;
        running.await.unwrap().unwrap();
        let text = witness.0.lock().unwrap().clone();
        assert!(!text.contains("openses") && text.contains("SecretLine"), "{text}");
    }
}

/// What is hidden is what may be an echo, and nothing more.
#[tokio::test(start_paused = true)]
async fn only_what_may_be_an_echo_of_the_secret_is_hidden() {
    let plain = || Exchange::new(CommandLine::execute("+PLAIN")).timeout(ms(2000));
    let put = |prompt| {
        let line = CommandLine::write("+PUT").integer(10).finish();
        Exchange::new(line).data(prompt, SECRET.into(), ms(5000)).secret_data()
    };
    let (mark, connect) = (PromptForm::Mark, PromptForm::Connect);
    // Noise has left every third byte of the echo.
    for (exchange, command, answers, shown) in [
        (login(), LOGIN, &["\r\n+LOGIN: 1\r\n\r\nOK\r\n"][..], "< +LOGIN: 1\n"),
        (login(), LOGIN, &["..+..G..=..p..s..a..\r\n\r\nOK\r\n"], "SecretLine\n"),
        (plain(), "AT+PLAIN\r", &["\r\nwhat is this\r\n\r\nOK\r\n"], "< what is this\n"),
        (put(mark), "AT+PUT=10\r", &["\r\n> ", "..e..e..m.\r\n\r\nOK\r\n"], "SecretLine\n"),
        (put(connect), "AT+PUT=10\r", &["\r\nCONNECT\r\n", "\r\nOK\r\n"], "< CONNECT\n"),
    ] {
        let (mut s, witness) = witnessed().await;
        let running = s.run(exchange);
        s.module.expect(command).await;
        for answer in answers {
            s.module.send(answer).await;
            tokio::time::sleep(ms(100)).await;
        }
        running.await.unwrap().unwrap();
        let text = witness.0.lock().unwrap().clone();
        assert!(text.contains(shown), "{shown:?} in {text}");
    }
}
