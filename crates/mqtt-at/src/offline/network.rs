//! What a module says of its SIM and its registration that explains why nothing else works [3GPP TS 27.007 §7.2, §8.3].

use at_codec::Fields;

use crate::dialect::meaning::integers;

/// What is wrong, and what can be done about it.
pub(super) fn fault(line: &[u8]) -> Option<(&'static str, &'static str)> {
    if let Some(fields) = Fields::of(line, "+CPIN") {
        return sim_fault(fields.rest().trim_ascii());
    }
    let numbers = ["+CEREG", "+CGREG", "+CREG"].iter().find_map(|name| integers(line, name))?;
    // In an answer the state is the second number, in a report the first.
    match numbers.get(1).or(numbers.first()) {
        Some(3) => Some((
            "the network denies the registration",
            "check the subscription, the SIM and whether roaming is allowed",
        )),
        Some(8 | 11) => Some((
            "the module is registered for emergency calls only",
            "check the SIM, and whether its operator serves this place",
        )),
        _ => None,
    }
}

fn sim_fault(state: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match state {
        b"SIM PIN" => ("the SIM waits for its PIN", "give it with AT+CPIN"),
        b"SIM PUK" => ("the SIM is locked and waits for its PUK", "unlock it in a telephone"),
        b"SIM CRASH" => ("the module has lost the SIM", "check the contacts and the supply of the SIM"),
        b"SIM REMOVED" | b"NOT INSERTED" => ("there is no SIM", "check whether a SIM is in its holder"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_explains_a_failure_is_told() {
        for (line, what) in [
            ("+CPIN: SIM CRASH", Some("the module has lost the SIM")),
            ("+CPIN: SIM REMOVED", Some("there is no SIM")),
            ("+CPIN: READY", None),
            ("+CPIN: NOT READY", None),
            ("+CGREG: 0,3", Some("the network denies the registration")),
            ("+CEREG: 3", Some("the network denies the registration")),
            ("+CEREG: 0,11", Some("the module is registered for emergency calls only")),
            ("+CEREG: 2,5,\"1A2B\",\"01\",3", None),
            ("+CREG: 0,1", None),
            ("+CSQ: 3,3", None),
        ] {
            assert_eq!(fault(line.as_bytes()).map(|(what, _)| what), what, "{line}");
        }
    }
}
