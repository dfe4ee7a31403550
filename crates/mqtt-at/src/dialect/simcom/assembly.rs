//! Received messages in the making: their parts are put together, and their lengths have to agree.

use super::facts;
use super::framing::Received;

/// The messages that are being received, one for each client: their parts may come interleaved.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    groups: [Group; facts::CLIENT_COUNT],
}

/// What an element came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Assembled {
    /// A message is complete.
    Message { client: u8, topic: Vec<u8>, payload: Vec<u8> },
    /// A message cannot become complete, and is dropped.
    Corrupt { client: u8, got: usize, need: usize },
    /// More is to come, or nothing has to be done.
    Nothing,
}

/// How far the message of a client has come.
#[derive(Debug, Default)]
enum Group {
    /// None is being received.
    #[default]
    Idle,
    Open(Parts),
    /// It was found corrupt, and the rest of it is still to come.
    Broken,
}

#[derive(Debug)]
struct Parts {
    topic: Vec<u8>,
    payload: Vec<u8>,
    topic_length: usize,
    payload_length: usize,
}

impl Assembly {
    /// Takes an element.
    ///
    /// Without its end a message is corrupt, also if it has all its bytes when the client's next one begins: a burst of
    /// bytes that were lost between payload and end lets bytes of the end pass for bytes of the payload.
    pub(super) fn take(&mut self, element: &Received<'_>) -> Assembled {
        match *element {
            Received::Start { client, topic, payload } => self.start(client, topic, payload),
            Received::Topic { client, bytes } => self.add(client, bytes, |parts| &mut parts.topic),
            Received::Payload { client, bytes } => self.add(client, bytes, |parts| &mut parts.payload),
            Received::End { client } => self.end(client),
            Received::Whole { client, topic, payload, expected: true } => {
                Assembled::Message { client, topic: topic.to_vec(), payload: payload.to_vec() }
            }
            Received::Whole { expected: false, .. } => Assembled::Nothing,
        }
    }

    /// Something of a client's message was damaged, so that it cannot become complete.
    pub(super) fn spoil(&mut self, client: u8) -> Assembled {
        let Some(group) = self.groups.get_mut(usize::from(client)) else { return Assembled::Nothing };
        match std::mem::replace(group, Group::Broken) {
            Group::Open(parts) => parts.corrupt(client),
            Group::Idle => Assembled::Corrupt { client, got: 0, need: 0 },
            Group::Broken => Assembled::Nothing,
        }
    }

    /// The connection of a client is over; what has not ended by now will not.
    pub(super) fn give_up(&mut self, client: u8) -> Assembled {
        match self.groups.get_mut(usize::from(client)).map(std::mem::take) {
            Some(Group::Open(parts)) => parts.corrupt(client),
            _ => Assembled::Nothing,
        }
    }

    fn start(&mut self, client: u8, topic_length: usize, payload_length: usize) -> Assembled {
        let Some(group) = self.groups.get_mut(usize::from(client)) else { return Assembled::Nothing };
        let is_believable = topic_length <= facts::RECEIVED && payload_length <= facts::RECEIVED;
        let next = match is_believable {
            true => {
                Group::Open(Parts { topic: Vec::new(), payload: Vec::new(), topic_length, payload_length })
            }
            false => Group::Broken,
        };
        match std::mem::replace(group, next) {
            Group::Open(former) => former.corrupt(client),
            _ if is_believable => Assembled::Nothing,
            _ => Assembled::Corrupt { client, got: 0, need: topic_length.saturating_add(payload_length) },
        }
    }

    fn add(&mut self, client: u8, bytes: &[u8], field: fn(&mut Parts) -> &mut Vec<u8>) -> Assembled {
        let Some(group) = self.groups.get_mut(usize::from(client)) else { return Assembled::Nothing };
        match group {
            Group::Open(parts) => {
                field(parts).extend_from_slice(bytes);
                if parts.is_too_long() { self.spoil(client) } else { Assembled::Nothing }
            }
            // The start of its message was lost.
            Group::Idle => self.spoil(client),
            Group::Broken => Assembled::Nothing,
        }
    }

    fn end(&mut self, client: u8) -> Assembled {
        match self.groups.get_mut(usize::from(client)).map(std::mem::take) {
            Some(Group::Open(parts)) => parts.conclude(client),
            _ => Assembled::Nothing,
        }
    }
}

impl Parts {
    fn is_too_long(&self) -> bool {
        self.topic.len() > self.topic_length || self.payload.len() > self.payload_length
    }

    fn conclude(self, client: u8) -> Assembled {
        if self.topic.len() == self.topic_length && self.payload.len() == self.payload_length {
            return Assembled::Message { client, topic: self.topic, payload: self.payload };
        }
        self.corrupt(client)
    }

    fn corrupt(&self, client: u8) -> Assembled {
        Assembled::Corrupt {
            client,
            got: self.topic.len() + self.payload.len(),
            need: self.topic_length + self.payload_length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Assembled::{Corrupt, Message, Nothing};
    use super::Received::{End, Payload, Start, Topic};
    use super::*;

    fn take_all(assembly: &mut Assembly, elements: &[Received<'_>]) -> Vec<Assembled> {
        elements.iter().map(|element| assembly.take(element)).filter(|it| *it != Nothing).collect()
    }

    fn message(client: u8, topic: &[u8], payload: &[u8]) -> Assembled {
        Message { client, topic: topic.to_vec(), payload: payload.to_vec() }
    }

    #[test]
    fn parts_of_topic_and_payload_are_put_together() {
        let mut assembly = Assembly::default();
        let elements = [
            Start { client: 0, topic: 5, payload: 4 },
            Topic { client: 0, bytes: b"ab/" },
            Topic { client: 0, bytes: b"cd" },
            Payload { client: 0, bytes: b"1" },
            Payload { client: 0, bytes: b"" },
            Payload { client: 0, bytes: b"234" },
            End { client: 0 },
        ];
        assert_eq!(take_all(&mut assembly, &elements), [message(0, b"ab/cd", b"1234")]);
    }

    #[test]
    fn messages_of_two_clients_may_be_interleaved() {
        let mut assembly = Assembly::default();
        let elements = [
            Start { client: 0, topic: 1, payload: 2 },
            Start { client: 1, topic: 1, payload: 2 },
            Topic { client: 1, bytes: b"b" },
            Topic { client: 0, bytes: b"a" },
            Payload { client: 0, bytes: b"00" },
            Payload { client: 1, bytes: b"11" },
            End { client: 1 },
            End { client: 0 },
        ];
        assert_eq!(take_all(&mut assembly, &elements), [message(1, b"b", b"11"), message(0, b"a", b"00")]);
    }

    #[test]
    fn a_payload_of_no_bytes_has_no_part() {
        let mut assembly = Assembly::default();
        let elements =
            [Start { client: 1, topic: 1, payload: 0 }, Topic { client: 1, bytes: b"t" }, End { client: 1 }];
        assert_eq!(take_all(&mut assembly, &elements), [message(1, b"t", b"")]);
    }

    #[test]
    fn lengths_that_do_not_agree_spoil_the_message_once() {
        let start = || Start { client: 0, topic: 1, payload: 3 };
        let topic = || Topic { client: 0, bytes: b"t" };
        let part = |bytes| Payload { client: 0, bytes };
        let corrupt = |got| [Corrupt { client: 0, got, need: 4 }];
        let end = || End { client: 0 };
        let mut assembly = Assembly::default();
        assert_eq!(take_all(&mut assembly, &[start(), topic(), part(b"12"), end()]), corrupt(3));
        assert_eq!(
            take_all(&mut assembly, &[start(), topic(), part(b"1234"), part(b"5"), end()]),
            corrupt(5)
        );
        assert_eq!(take_all(&mut assembly, &[start(), part(b"123"), end()]), corrupt(3));
        assert_eq!(take_all(&mut assembly, &[start(), topic(), topic(), part(b"123"), end()]), corrupt(2));
        assert_eq!(
            take_all(&mut assembly, &[start(), topic(), part(b"123"), end()]),
            [message(0, b"t", b"123")]
        );
    }

    #[test]
    fn a_lost_end_costs_the_message_also_if_its_lengths_agree() {
        let mut assembly = Assembly::default();
        let whole = [
            Start { client: 0, topic: 1, payload: 1 },
            Topic { client: 0, bytes: b"t" },
            Payload { client: 0, bytes: b"1" },
        ];
        let corrupt = |got| Corrupt { client: 0, got, need: 2 };
        assert_eq!(take_all(&mut assembly, &whole), []);
        assert_eq!(take_all(&mut assembly, &whole), [corrupt(2)], "when the next one begins");
        assert_eq!(assembly.take(&whole[0]), corrupt(2));
        assert_eq!(assembly.take(&whole[0]), corrupt(0));
        assert_eq!(assembly.give_up(0), corrupt(0), "the connection is over");
        assert_eq!((assembly.give_up(0), assembly.take(&End { client: 0 })), (Nothing, Nothing));
    }

    #[test]
    fn a_lost_start_spoils_the_message_but_not_the_next() {
        let mut assembly = Assembly::default();
        let unknown = Corrupt { client: 0, got: 0, need: 0 };
        let rest = [Topic { client: 0, bytes: b"t" }, Payload { client: 0, bytes: b"1" }, End { client: 0 }];
        assert_eq!(take_all(&mut assembly, &rest), [unknown]);
        let next = [Start { client: 0, topic: 1, payload: 1 }];
        assert_eq!(take_all(&mut assembly, &next), []);
        assert_eq!(take_all(&mut assembly, &rest), [message(0, b"t", b"1")]);
    }

    #[test]
    fn lengths_that_no_message_has_are_not_believed() {
        let mut assembly = Assembly::default();
        let max = facts::RECEIVED;
        let start = |topic, payload| Start { client: 0, topic, payload };
        let corrupt = |need| Corrupt { client: 0, got: 0, need };
        assert_eq!(assembly.take(&start(1, max + 1)), corrupt(max + 2));
        assert_eq!(assembly.take(&start(max + 1, usize::MAX)), corrupt(usize::MAX));
        assert_eq!(assembly.take(&Payload { client: 0, bytes: b"1" }), Nothing);
        assert_eq!(assembly.take(&start(1, max)), Nothing);
        assert_eq!(
            assembly.take(&Start { client: 2, topic: 1, payload: 1 }),
            Nothing,
            "there are two clients"
        );
        assert_eq!(assembly.take(&Payload { client: 2, bytes: b"1" }), Nothing);
        assert_eq!(assembly.spoil(2), Nothing);
    }
}
