//! Logs of real modules, played to the dialects: no frame may be misread, no answer may go astray.
//!
//! The logs are `tests/transcripts/real/*.at`. What is expected of them is read from the same files by a splitter that
//! knows nothing but CR LF; where counted bytes or the end of a capture make a difference, it is listed here by hand.

pub(crate) mod conversation;
mod frames;
mod port;

use std::sync::Arc;

use at_port::Rules;

use super::fibocom::Fibocom;
use super::neoway::Neoway;
use super::quectel::Quectel;
use super::simcom::SimCom;
use crate::dialect::Dialect as _;
use crate::link::{Inbound, Links};

/// A log and what the naive reading of it gets wrong or cannot know.
struct Case {
    /// The name of its file.
    name: &'static str,
    /// Elements with counted bytes that the naive reading takes for several lines.
    counted: &'static [&'static str],
    /// The element in which the capture breaks off.
    unfinished: Option<&'static str>,
    /// Lines that are neither answers nor known reports, each with its reason.
    unknown: &'static [(&'static str, Unknown)],
}

/// Why a line is neither an answer nor a known report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// With its echo on, a module repeats the data behind a prompt, too: all of it, or what it took of it.
    EchoOfData,
    /// The echo of a command of which characters were lost on the line.
    GarbledEcho,
    /// It asks for bytes that the log leaves out, so that nothing may wait for it.
    AsksForData,
    /// The log leaves out the command that it answers.
    AnswerToNothing,
}

use Unknown::{AnswerToNothing, AsksForData, EchoOfData, GarbledEcho};

impl Case {
    const fn plain(name: &'static str) -> Self {
        Self { name, counted: &[], unfinished: None, unknown: &[] }
    }

    const fn unknown(name: &'static str, unknown: &'static [(&'static str, Unknown)]) -> Self {
        Self { unknown, ..Self::plain(name) }
    }

    /// The rules of the module's vendor. They would deliver whatever can be believed: every client is connected and
    /// expects every topic.
    fn rules(&self) -> Box<dyn Rules<Urc = Inbound>> {
        let links = Arc::new(Links::default());
        for client in 0..6 {
            links.begin(client, true).connected();
        }
        match self.name.split('-').next() {
            Some("quectel") => Quectel::default().rules(&links),
            Some("simcom") => SimCom::default().rules(&links),
            Some("fibocom") => Fibocom::default().rules(&links),
            Some("neoway") => Neoway::default().rules(&links),
            other => panic!("a log begins with its vendor: {other:?}"),
        }
    }
}

const CASES: &[Case] = &[
    Case::plain("fibocom-01-l610-huawei"),
    Case::plain("fibocom-03-l610-mipcall-error"),
    Case::plain("fibocom-05-l610-wrong-password"),
    Case::plain("neoway-02-n11-pump"),
    Case::unknown("quectel-01-bg770a-full-session", &[("Hello MQTT from GPS-4G-HAT shield", EchoOfData)]),
    Case::unknown(
        "quectel-03-ec800m-aliyun-pubex",
        &[
            ("{\n  \"id\": \"123\",\n  \"version\": ", EchoOfData),
            (r#"{"id": "123","version": "1.0","#, EchoOfData),
            (
                r#"{"id": "123","version": "1.0","sys": { "ack": 0 },"params": { "LINK_TEST": 129 },"method": "thing.event.property.post"}"#,
                EchoOfData,
            ),
        ],
    ),
    Case::unknown(
        "quectel-05-m95-ctrlz-publish",
        &[("CONNECT", AsksForData), ("M95 Hello World", EchoOfData)],
    ),
    Case {
        counted: &[
            "+CMQTTRXTOPIC: 0,3\r\n\r\naws",
            "+CMQTTRXPAYLOAD: 0,38\r\n\r\n{\"message\":\"Hello from SIMCom Module\"}",
            "+CMQTTRXPAYLOAD: 0,45\r\n\r\n{\n  \"message\": \"Hello from AWS IoT console\"\n}",
        ],
        unfinished: Some("+CMQTTRXTOPIC: 0,3"),
        ..Case::unknown(
            "simcom-01-sim7600ei-aws",
            &[
                ("aws/things/simcom7600_device01/", EchoOfData),
                ("aws/things/simcom7600_device01", EchoOfData),
                ("SIMCom Connected!", EchoOfData),
                (r#"{"message":"Hello from SIMCom Module"}"#, EchoOfData),
                ("led/subscribe", EchoOfData),
                ("HAII", EchoOfData),
            ],
        )
    },
    Case::plain("simcom-03-a7670e-connect-fail"),
    Case::unknown("simcom-04-a7670-emqx-tls", &[("OK", AnswerToNothing)]),
    Case::plain("simcom-05-sim7600gh-start-before-ok"),
    Case::plain("simcom-07-a7670e-boot-stk"),
    Case::plain("simcom-11-sim7600-start-23"),
    Case::plain("simcom-16-sim7600-pub-refused"),
    Case::plain("simcom-18-sim7670g-certdown"),
    Case::unknown("simcom-18-sim7670g-dropped-characters", &[("AT+NETPE", GarbledEcho)]),
    Case::unknown(
        "simcom-18-sim7670g-start-error",
        &[(
            "+CPSI: LTE,Online,238-01,0xD48,5314856,394,EUTRAN-BAND7,2850,5,5,-11,-109,-97,14",
            AnswerToNothing,
        )],
    ),
];

#[test]
fn every_log_is_played() {
    let mut files: Vec<String> = std::fs::read_dir(conversation::DIRECTORY)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let cases: Vec<String> = CASES.iter().map(|case| format!("{}.at", case.name)).collect();
    assert_eq!(files, cases);
}
