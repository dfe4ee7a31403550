//! What is called wrong, and what is not.

use super::*;

/// What is found in a conversation, as severity and words.
fn found(vendor: Vendor, text: &str) -> Vec<(&'static str, String)> {
    let analysis = read(vendor, text, Cut::Turns);
    analysis.findings.iter().map(|it| (it.severity.name(), it.what.clone())).collect()
}

const RESTARTED: &str =
    "the module restarted in the middle of the session: settings and connections are gone";

#[test]
fn a_restart_that_was_ordered_is_no_surprise() {
    for order in ["AT+CRESET", "AT+CFUN=1,1", "AT+QPOWD=1", "AT+CFUN=15"] {
        for answer in ["<< OK", ""] {
            let text = format!(">> AT+CSQ\n<< OK\n>> {order}\n{answer}\n<< RDY\n");
            for vendor in [Vendor::SimCom, Vendor::Quectel] {
                assert_eq!(found(vendor, &text), [], "{order} {answer}");
            }
        }
    }
    let in_pieces =
        ">> AT+CFUN=1,1\n<< OK\n<< POWERED DOWN\n<< +QIURC: \"pdpdeact\",1\n>> AT\n<< RDY\n>> AT\n<< OK\n";
    let in_pieces = found(Vendor::Quectel, in_pieces);
    assert!(in_pieces.iter().all(|(severity, _)| *severity == "note"), "{in_pieces:?}");
    let by_itself = found(Vendor::SimCom, ">> AT+CFUN=1\n<< OK\n<< RDY\n");
    assert_eq!(by_itself, [("error", RESTARTED.to_owned())]);
}

#[test]
fn one_loss_is_reported_once() {
    let words = |cause: &str| format!("the connection of client 0 was lost: {cause}");
    let simcom = ">> AT+CMQTTCONNECT=0,\"tcp://h\",60,1\n<< OK\n<< +CMQTTCONNECT: 0,0\n<< +CMQTTCONNLOST: 0,3\n\
                  << +CMQTTNONET\n";
    assert_eq!(found(Vendor::SimCom, simcom).len(), 1);
    // Nothing is said of a client that nobody uses.
    let alone = simcom.replace("<< +CMQTTCONNLOST: 0,3\n", "");
    let alone = found(Vendor::SimCom, &alone);
    assert!(matches!(&alone[..], [("error", what)] if what.starts_with(&words(""))), "{alone:?}");
    // Once it is connected again there is something to lose.
    let again = found(Vendor::SimCom, &simcom.repeat(2));
    assert_eq!(again.len(), 2, "{again:?}");

    let fibocom = ">> AT+MQTTOPEN=1,\"h\",1883,0,80\n<< OK\n<< +MQTTOPEN: 1,1\n<< +MQTTBREAK: 1,1\n\
                   << +MQTTCLOSE: 1,1\n";
    assert_eq!(found(Vendor::Fibocom, fibocom).len(), 1);
    let neoway = ">> AT+MQTTCONN=\"h:1883\",1,60\n<< OK\n<< +MQTTDISCONNED: Link Closed\n\
                  << +MQTTDISCONNED: Link Closed\n";
    assert_eq!(found(Vendor::Neoway, neoway).len(), 1);
    let neoway = "<< +CMD ERROR: <-3>\n<< +MQTTDISCONNED: Link Closed\n";
    assert_eq!(found(Vendor::Neoway, neoway).len(), 1);
    let again =
        ">> AT+MQTTCONN=\"h:1883\",1,60\n<< OK\n<< +MQTTSTATE: 0\n<< +MQTTSTATE: 1\n<< +MQTTDISCONNED\n";
    assert_eq!(found(Vendor::Neoway, again).len(), 2);
    // The module's words alone do not tell what became of the connection in between.
    assert_eq!(found(Vendor::Quectel, "<< +QMTSTAT: 0,1\n<< +QMTSTAT: 0,1\n").len(), 2);
}

#[test]
fn causes_of_fibocom_are_told_apart() {
    let text = ">> AT+MQTTOPEN=1,\"h\",1883,0,80\n<< OK\n<< +MQTTOPEN: 1,1\n<< +MQTTBREAK: 1,3\n";
    let words = "the connection of client 1 was lost: the module is not registered in the network";
    assert_eq!(found(Vendor::Fibocom, text), [("error", words.to_owned())]);
}

#[test]
fn a_length_is_where_the_form_has_it() {
    let text = ">> AT+CMQTTPUB=0,\"t\",1,4,60\n<< >\n>> 3800\\\n<< OK\n<< +CMQTTPUB: 0,0\n";
    assert_eq!(found(Vendor::SimCom, text), []);
    let text = text.replace("3800", "380");
    assert_eq!(found(Vendor::SimCom, &text)[0].1, "4 bytes were announced and 3 written");
    assert_eq!(Analyser::announced_length(b"AT+MQTTPUBRAW=0,\"t\",5,0,0"), Some(5));
}

#[test]
fn a_network_that_refuses_is_no_connection_that_is_up() {
    for refusal in ["+CME ERROR: 33", "+CME ERROR: requested service option not subscribed (#33)"] {
        let found = found(Vendor::SimCom, &format!(">> AT+CGACT=1,1\n<< {refusal}\n"));
        assert_eq!(found[0].0, "error", "{found:?}");
    }
    assert_eq!(found(Vendor::SimCom, ">> AT+CGACT=1,1\n<< ERROR\n")[0].0, "note");
}

#[test]
fn sim_and_registration_explain_failures() {
    for (text, what) in [
        ("<< +CPIN: SIM CRASH", "the module has lost the SIM"),
        ("<< +CPIN: SIM REMOVED", "there is no SIM"),
        (">> AT+CGREG?\n<< +CGREG: 0,3\n<< OK", "the network denies the registration"),
        (">> AT+CEREG?\n<< +CEREG: 0,11\n<< OK", "the module is registered for emergency calls only"),
    ] {
        for vendor in [Vendor::SimCom, Vendor::Quectel, Vendor::Neoway, Vendor::Fibocom] {
            assert_eq!(found(vendor, text), [("error", what.to_owned())], "{vendor} {text}");
        }
    }
    assert_eq!(found(Vendor::SimCom, ">> AT+CEREG?\n<< +CEREG: 0,1\n<< OK"), []);
}

#[test]
fn what_some_firmware_does_is_a_note() {
    let twice = ">> AT+CMQTTSUB=0,1,1\n<< >\n>> a\\\n<< OK\n<< +CMQTTSUB: 0,0\n<< OK\n";
    assert_eq!(
        found(Vendor::SimCom, twice),
        [("note", "a second final result of the same command".to_owned())]
    );
    let open = ">> AT\n<< OK\n>> AT+SIMCOMATI\n<< Model: SIM7600G\n>> AT+CSQ\n<< OK\n";
    assert_eq!(found(Vendor::SimCom, open), [("note", "the answer came without a final result".to_owned())]);
    assert_eq!(found(Vendor::SimCom, ">> AT+CCERTLIST\n<< ERROR\n")[0].0, "note");
}

#[test]
fn remarks_behind_a_command_are_no_part_of_it() {
    let analysis =
        read(Vendor::Fibocom, ">> AT+MQTTOPEN? //which are open\n<< +MQTTOPEN: 1,0\n<< OK\n", Cut::Turns);
    assert!(analysis.entries[0].meaning.starts_with("ask: "), "{analysis:?}");
    let lines = [&b"AT+MQTTDISCONN      To close the connection."[..]];
    assert_eq!(Analyser::vendor_of(lines), Some(Vendor::Neoway));
    for line in ["AT+MQTTSUB=\"t\",1", "AT+MQTTCONN=\"h:1883\",0,60", "AT+MQTTPUB=0,1,\"t\",\"x\""] {
        assert_eq!(Analyser::vendor_of([line.as_bytes()]), Some(Vendor::Neoway), "{line}");
    }
    for line in [
        "AT+MQTTSUB=1,\"t\",1",
        "AT+MQTTPUB=0,\"t\",0,0,\"x\"",
        "AT+MQTTPUB=0,\"t\",\"x\",0,0",
        "AT+MQTTSUB?",
    ] {
        assert_eq!(Analyser::vendor_of([line.as_bytes()]), None, "{line}");
    }
    // The first argument is no client there.
    let analysis = read(Vendor::Fibocom, ">> AT+MQTTCONF=1\n<< OK\n", Cut::Turns);
    assert_eq!(analysis.entries[0].client, None);
}

#[test]
fn reports_of_fibocom_have_words() {
    let analysis = read(Vendor::Fibocom, "<< +MQTTMSGI: 1,0,6,4\n<< +MIPCALL: 10.0.0.7\n", Cut::Turns);
    let words: Vec<_> = analysis.entries.iter().map(|entry| entry.meaning.as_str()).collect();
    assert_eq!(words, ["a message waits to be read", "the data connection is up, with this address"]);
}
