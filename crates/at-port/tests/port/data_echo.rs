//! Modules that repeat the data they are given.

use std::time::Duration;

use at_port::{Exchange, PromptForm};

use crate::common::{ms, synced, write};

const PATIENCE: Duration = Duration::from_secs(35);

#[tokio::test(start_paused = true)]
async fn a_payload_that_the_module_repeats_is_no_answer() {
    // A module repeats data although its echo is off, or everything because its echo is on again.
    for (command_echo, payload) in [("", &b"x\r\nOK\r\n"[..]), ("AT+PUB=6\r", b"\r\nOK\r\n")] {
        let mut s = synced().await;
        let line = write("+PUB", payload.len() as i64);
        let running = s.run(Exchange::new(line).data(PromptForm::Mark, payload.into(), PATIENCE));
        s.module.expect(format!("AT+PUB={}\r", payload.len())).await;
        s.module.send(format!("{command_echo}\r\n> ")).await;
        s.module.expect(payload).await;
        s.module.send(payload).await;
        s.module.expect_nothing_for(ms(100)).await;
        assert!(!running.is_finished(), "{command_echo:?}");
        s.module.send("\r\nERROR\r\n").await;
        assert!(running.await.unwrap().is_err());
        s.check_in_step().await;
    }
}
