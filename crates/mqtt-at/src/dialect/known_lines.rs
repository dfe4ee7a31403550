//! Lines that manuals and logs show, one by one: none of them may be unknown, damaged, or taken for the answer of whatever
//! command is in flight.

use crate::offline::{Analyser, Entry, Kind};
use crate::vendor::Vendor;

/// [Fibocom MQTT 1.2.6], and what L610, MC665, G510 and their relatives say.
const FIBOCOM: &[&str] = &[
    "+MQTTOPEN: 1,1",
    "+MQTTOPEN: 1,0",
    "+MQTTOPEN: 1,2",
    "+MQTTCLOSE: 1,1",
    "+MQTTBREAK: 1,1",
    "+MQTTBREAK: 1,0",
    "+MQTTLOSE: 1, 1",
    "+MQTTSUB: 1,1",
    "+MQTTUNSUB: 1,1",
    "+MQTTPUB: 1,1",
    "+MQTTMSG: 1,0,\"topic1\",\"Test\"",
    "+MQTTMSGI: 1,0,6,4",
    "+MQTTREAD: 1,0,6,4\r\n\"topic1\",\"OK\r\n\"",
    "+MQTTREAD: 1,0,6,4,\"topic1\",\"Test\"",
    "+MQTTREAD: 1,0,0,0",
    "+MIPCALL: 10.2.83.148",
    "+MIPCALL: 1,192.168.0.1",
    "+MIPCALL: 0",
    "+MIPCALL: 2001:EE0::1",
    "+MIPCALL:1",
    "MIPCALL: 0",
    "+SIM READY",
    "+SIM DROP",
    "AT command ready",
    "AT READY",
    "PB DONE",
    "SMS DONE",
    "+CPIN: READY",
    "+CEREG: 1",
    "+CGEV: EPS PDN ACT 1",
];

/// [Neoway MQTT 1.2], [N58 AT 2.0], and what N11, N706, N716, N720, N27 and M590 say.
const NEOWAY: &[&str] = &[
    "MODEM:STARTUP",
    "+PBREADY",
    "RING",
    "+CLIP: \"123\",145,,,\"\",0",
    "+TCPSEND:Error1",
    "+XIIC:    1, 10.224.178.69",
    "+MQTTSUB:4,\"lixystopic\",20,this is for testing!",
    "+MQTTSUB: 9,\"neoway02\",11,neoway mqtt",
    "+MQTTSUB:5,\"neoway02\",11, neowaymqtt",
    "+MQTTSUB:1,9,\"neoway02\",4,OK\r\n",
    "MQTTSUB:0,\"neoway02\",4,OK\r\n",
    "+MQTTSTATE:1",
    "+MQTTSTATE: 0",
    "+MQTTSTATE: 4",
    "+MQTTDISCONNED: Link Closed",
    "+MQTTDISCONNED",
    "+CLOUDHDAUTH: OK",
    "+CLOUDSUBACK: <OK>",
    "+CLOUDPUBACK: <OK>",
    "+CLOUDUNSUBACK: <OK>",
    "+CLOUDNSUBACK: <OK>",
    "+CLOUDPUBLISH: 11015,/pk/dn/get,8,88990011",
    "+CLOUDPUBLISH: 7, /pk/dn/get, 4, OK\r\n",
    "+AWSSUBRECV: 0,\"nwy_test/01\",4,OK\r\n",
    "+CPIN: READY",
    "+CREG: 1",
];

/// [ESP-AT MQTT], and what chips say in public logs.
const ESP: &[&str] = &[
    "ready",
    "WIFI CONNECTED",
    "WIFI GOT IP",
    "WIFI DISCONNECT",
    "busy p...",
    "+MQTTCONNECTED:0,1,\"broker\",\"1883\",\"\",1",
    "+MQTTDISCONNECTED:0",
    "+MQTTSUBRECV:0,\"topic\",4,OK\r\n",
    "+MQTTCONN:0,3,1,\"h\",\"1883\",\"\",0",
];

const ALL: [(Vendor, &[&str]); 3] =
    [(Vendor::Fibocom, FIBOCOM), (Vendor::Neoway, NEOWAY), (Vendor::Espressif, ESP)];

/// What some bytes of the module are, after a command of the host if there is one.
fn entries(vendor: Vendor, command: Option<&str>, bytes: &str) -> Vec<Entry> {
    let mut analyser = Analyser::new(vendor);
    if let Some(command) = command {
        analyser.host(None, command.as_bytes());
    }
    analyser.module(None, bytes.as_bytes());
    analyser.finish().entries
}

fn is_known(kind: &Kind) -> bool {
    use Kind::{Lost, Message, Report, Restarted, Result};
    matches!(kind, Lost | Message { .. } | Report | Restarted | Result { .. })
}

#[test]
fn every_line_is_known() {
    for (vendor, lines) in ALL {
        for line in lines {
            let entries = entries(vendor, None, &format!("\r\n{line}\r\n"));
            let [only] = &entries[..] else { panic!("{vendor} {line:?}: {entries:?}") };
            assert!(is_known(&only.kind), "{vendor} {line:?}: {only:?}");
        }
    }
}

/// Each of them between a command and its answer, and between the answer and its end.
#[test]
fn no_line_is_taken_for_an_answer() {
    for (vendor, lines) in ALL {
        for line in lines {
            let bytes = format!("\r\n{line}\r\n\r\n+CSQ: 31,99\r\n\r\n{line}\r\n\r\nOK\r\n");
            let entries = entries(vendor, Some("AT+CSQ\r"), &bytes);
            let [_, before, answer, behind, end] = &entries[..] else {
                panic!("{vendor} {line:?}: {entries:?}")
            };
            assert!(is_known(&before.kind) && is_known(&behind.kind), "{vendor} {line:?}: {entries:?}");
            assert_eq!((&answer.kind, &end.kind), (&Kind::Information, &Kind::Final { success: true }));
        }
    }
}

/// What a module says while it starts, in front of, between and behind its lines, and glued to them.
#[test]
fn noise_of_a_start_hides_nothing() {
    for (vendor, start) in [
        (Vendor::Fibocom, "AT command ready"),
        (Vendor::Neoway, "MODEM:STARTUP"),
        (Vendor::Espressif, "ready"),
    ] {
        for noise in [
            "\r\n",
            "\u{0}\u{0}\r\n",
            "\r\nF1: 0000 0000\r\nV0: 0000 0000 [0001]\r\nLeaving the BROM\r\n",
            "ets Jan  8 2013,rst cause:1, boot mode:(3,7)\r\n\r\nload 0x40100000, len 2592, room 16\r\n",
            "GSM_Modem Powering......Pl. Wait\r\n",
            "\r\r\n\n\r\n>\r\n> \r\n",
        ] {
            let entries =
                entries(vendor, None, &format!("{noise}\r\n{start}\r\n{noise}\r\n+CPIN: READY\r\n"));
            let started = entries.iter().filter(|entry| entry.kind == Kind::Restarted).count();
            assert_eq!(started, 1, "{vendor} {noise:?}: {entries:?}");
            assert!(!entries.iter().any(|entry| matches!(entry.kind, Kind::Message { .. } | Kind::Lost)));
        }
    }
}
