//! Test commands: what the firmware knows.

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use crate::command::{Command, Unreadable};
use crate::dialect::quectel::facts::timeout;
use crate::error::InputError;

/// `AT+X=?`: asks which parameters and ranges the firmware knows, or whether it knows the command at all.
///
/// The answer is in the module's own words, a line for each parameter; some commands answer with none.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    name: &'static str,
}

impl Test {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name }
    }
}

impl Command for Test {
    type Answer = Vec<String>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::test(self.name));
        Ok(exchange.answer(Answer::Named(self.name)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<String>, Unreadable> {
        let words = |line| Fields::of(line, self.name).map(|fields| String::from_utf8_lossy(fields.rest()).into_owned());
        reply.lines.iter().map(|line| words(line).ok_or(Unreadable)).collect()
    }
}
