//! What the codes of `+CME ERROR` mean [27.007 §9.2].

use at_port::{ErrorCode, FinalResult};

/// What a code of `+CME ERROR` means, in our words.
pub(crate) fn cme_meaning(code: u32) -> &'static str {
    let found = MEANINGS.binary_search_by_key(&code, |(code, _)| *code);
    let meaning = found.ok().and_then(|position| MEANINGS.get(position)).map(|(_, meaning)| *meaning);
    meaning.unwrap_or("the module refused the command, with a code that no standard explains")
}

/// The code of a refusal, also where the module was told to use words.
pub(super) fn cme_code(result: &FinalResult) -> Option<u32> {
    match result {
        FinalResult::Cme(ErrorCode::Number(code)) => Some(*code),
        FinalResult::Cme(ErrorCode::Text(text)) => {
            SIM_WORDS.iter().find(|(_, words)| text.trim().eq_ignore_ascii_case(words)).map(|(code, _)| *code)
        }
        _ => None,
    }
}

/// The words of the codes on which decisions depend.
const SIM_WORDS: [(u32, &str); 10] = [
    (10, "SIM not inserted"),
    (11, "SIM PIN required"),
    (11, "SIM PIN necessary"),
    (12, "SIM PUK required"),
    (12, "SIM PUK necessary"),
    (13, "SIM failure"),
    (14, "SIM busy"),
    (15, "SIM wrong"),
    (16, "incorrect password"),
    (16, "password incorrect"),
];

/// In ascending order of the codes.
const MEANINGS: &[(u32, &str)] = &[
    (0, "failure inside the telephone part"),
    (1, "no connection to the telephone part"),
    (2, "the adapter link of the telephone part is reserved"),
    (3, "not allowed in this state"),
    (4, "not supported by the module"),
    (5, "the PIN of the SIM lock is required"),
    (6, "the PIN of the personalised SIM is required"),
    (7, "the PUK of the personalised SIM is required"),
    (10, "no SIM inserted"),
    (11, "the SIM asks for its PIN"),
    (12, "the SIM is locked and asks for its PUK"),
    (13, "the SIM failed"),
    (14, "the SIM is busy"),
    (15, "wrong kind of SIM"),
    (16, "wrong password or PIN"),
    (17, "the SIM asks for its second PIN"),
    (18, "the SIM asks for its second PUK"),
    (20, "memory full"),
    (21, "invalid index"),
    (22, "not found"),
    (23, "memory failure"),
    (24, "text too long"),
    (25, "invalid characters in a text"),
    (26, "dial string too long"),
    (27, "invalid characters in a dial string"),
    (30, "no network service"),
    (31, "the network did not answer in time"),
    (32, "only emergency calls are allowed"),
    (40, "the PIN that binds the module to its network is required"),
    (41, "the PUK that binds the module to its network is required"),
    (42, "the PIN that binds the module to a part of its network is required"),
    (43, "the PUK that binds the module to a part of its network is required"),
    (44, "the PIN that binds the module to its service provider is required"),
    (45, "the PUK that binds the module to its service provider is required"),
    (46, "the PIN that binds the module to its company is required"),
    (47, "the PUK that binds the module to its company is required"),
    (48, "a hidden key is required"),
    (49, "not supported in this manner"),
    (50, "wrong parameters"),
    (51, "known, but not carried out"),
    (52, "not possible within this text session"),
    (53, "the SIM application toolkit is busy"),
    (100, "the module gives no reason"),
    (103, "the network does not accept this SIM"),
    (106, "the network does not accept this module"),
    (107, "data service not allowed for this SIM"),
    (111, "network not allowed for this SIM"),
    (112, "location area not allowed for this SIM"),
    (113, "roaming not allowed in this area"),
    (114, "data service not allowed in this network"),
    (115, "no suitable cells in this area"),
    (122, "the network is congested"),
    (126, "the network has no resources left"),
    (127, "access point name unknown or missing"),
    (128, "unknown kind of data connection"),
    (129, "user or password of the access point refused"),
    (130, "the gateway of the network refused the data connection"),
    (131, "the network refused the data connection without a reason"),
    (132, "service option not supported by the network"),
    (133, "service option not part of the SIM's contract"),
    (134, "service option out of order for now"),
    (140, "the network does not know this data feature"),
    (141, "the network cannot read the request"),
    (148, "the data service failed without a reason"),
    (149, "data connection: authentication failed"),
    (150, "invalid class of the module"),
    (151, "group call limit reached"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_so_that_every_entry_is_found() {
        assert!(MEANINGS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (code, meaning) in MEANINGS {
            assert_eq!(cme_meaning(*code), *meaning);
        }
        assert!(cme_meaning(9999).contains("no standard"));
    }

    #[test]
    fn words_have_the_code_that_they_stand_for() {
        let words = |text: &str| cme_code(&FinalResult::Cme(ErrorCode::Text(text.into())));
        assert_eq!(words("SIM busy"), Some(14));
        assert_eq!(words("SIM failure"), Some(13));
        assert_eq!(words("SIM PIN Required "), Some(11));
        assert_eq!(words("unknown error"), None);
        assert_eq!(cme_code(&FinalResult::Cme(ErrorCode::Number(16))), Some(16));
        assert_eq!(cme_code(&FinalResult::Error), None);
    }
}
