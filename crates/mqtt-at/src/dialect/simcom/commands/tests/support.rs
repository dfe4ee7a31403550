//! How a command is shown: its bytes, its answer, its refusals.

use std::fmt::Debug;
use std::time::Duration;

use crate::bringup::script::{ask, refused};
use crate::command::{Command, TestForm};
use crate::dialect::send;
use crate::dialect::simcom::script::Host;
use crate::error::Result;

/// A command is written as `line`, and `answer` is read as `read` shows it.
pub(super) async fn says<C: Command<Answer: Debug> + Sync>(command: C, line: &str, answer: &str, read: &str) {
    let (written, outcome) = ask(command, answer).await;
    assert_eq!(written, line);
    assert_eq!(format!("{:?}", outcome.unwrap()), read, "{line}");
}

/// The test form of a command.
pub(super) async fn tests(command: TestForm, name: &str, parameters: &str) {
    let answer = format!("{name}: {parameters}\n\nOK");
    says(command, &format!("AT{name}=?"), &answer, &format!("[{parameters:?}]")).await;
}

/// What comes of a command in a conversation.
pub(super) async fn converse<C: Command + Sync>(command: C, script: &str) -> Result<C::Answer> {
    Host::default().converse(script, async |port| send(&port, command).await).await
}

/// A command that gives data to the module.
pub(super) async fn gives<C: Command + Sync>(command: C, line: &str, data: &str) {
    // With and without the space that the manual's examples show here and there.
    for prompt in ["\\r\\n>", "\\r\\n> ", ">"] {
        let script = format!(">> {line}\n<= {prompt}\n>= {data}\n<< OK");
        let operation = command.operation().unwrap();
        let outcome = Host::default().converse(&script, async |port| port.run(operation).await).await;
        assert!(outcome.is_ok(), "{line}");
    }
}

/// A refusal in each of the manual's forms: with a code, and without.
pub(super) async fn is_refused<C: Command + Sync + Clone>(command: C, name: &str, code: &str, words: &str) {
    let line = format!("AT{name}: {words}");
    assert_eq!(refused(command.clone(), &format!("{name}: {code}\n\nERROR")).await, line);
    let bare = format!("AT{name}: the module refused the command without a reason");
    assert_eq!(refused(command, "ERROR").await, bare);
}

/// The words of an error that is found before a byte is sent.
pub(super) fn refusal<C: Command>(command: C) -> String {
    command.operation().map(drop).unwrap_err().to_string()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
