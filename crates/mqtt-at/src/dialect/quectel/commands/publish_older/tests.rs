//! What is written in each form, and what cannot be.

use super::*;
use crate::dialect::quectel::script::Host;
use crate::dialect::send;
use crate::error::{Outcome, Result};

const FORMS: [PublishForm; 5] = [
    PublishForm::Length,
    PublishForm::LengthAndCtrlZ,
    PublishForm::CtrlZ,
    PublishForm::Inline,
    PublishForm::InlineEx,
];

async fn publish(command: QmtPub, script: &str) -> Result<Acknowledgement> {
    Host::default().converse(script, async |port| send(&port, command).await).await
}

/// Publishes with QoS 1 and retained.
fn second(form: PublishForm, payload: &'static [u8]) -> QmtPub {
    QmtPub::new(form, 2, "t", payload).qos(QoS::AtLeastOnce, 9).retain(true)
}

fn refusal(form: PublishForm, payload: impl Into<Bytes>) -> String {
    QmtPub::new(form, 0, "t", payload).operation().map(drop).unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn bytes_of_every_form() {
    let prompt = "<= \\r\\n> \n";
    for (form, written) in [
        (PublishForm::Length, format!(">> AT+QMTPUB=2,9,1,1,\"t\",5\n{prompt}>= hello")),
        (PublishForm::LengthAndCtrlZ, format!(">> AT+QMTPUB=2,9,1,1,\"t\",5\n{prompt}>= hello\x1a")),
        (PublishForm::CtrlZ, format!(">> AT+QMTPUB=2,9,1,1,\"t\"\n{prompt}>= hello\x1a")),
        (PublishForm::Inline, ">> AT+QMTPUB=2,9,1,1,\"t\",\"hello\"".to_owned()),
        (PublishForm::InlineEx, ">> AT+QMTPUBEX=2,9,1,1,\"t\",\"hello\"".to_owned()),
    ] {
        let acknowledged = Acknowledgement::Acknowledged { granted: Vec::new() };
        for name in ["+QMTPUB", "+QMTPUBEX"] {
            let script = format!("{written}\n<< OK\n<< {name}: 2,9,1,1\n<< {name}: 2,9,0");
            assert_eq!(publish(second(form, b"hello"), &script).await.unwrap(), acknowledged, "{form:?}");
        }
        let script = format!("{written}\n<< +QMTPUB: 2,9,2\n<< OK");
        let failed = Acknowledgement::Failed { result: 2 };
        assert_eq!(publish(second(form, b"hello"), &script).await.unwrap(), failed, "{form:?}");
        let error = publish(second(form, b"hello"), &format!("{written}\n<< ERROR")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{form:?}: the payload was written");
    }
}

#[tokio::test(start_paused = true)]
async fn lengths_take_any_bytes() {
    let payload = b"\x1a\x1b\"\r\nOK\r\n> x";
    let head = ">> AT+QMTPUB=2,9,1,1,\"t\",12\n<= \\r\\n>\n>= \x1a\x1b\"\\r\\nOK\\r\\n> x";
    for (form, end) in [(PublishForm::Length, ""), (PublishForm::LengthAndCtrlZ, "\x1a")] {
        let script = format!("{head}{end}\n<< OK\n<< +QMTPUB: 2,9,0");
        publish(second(form, payload), &script).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_the_prompt_has_sent_nothing() {
    for form in [PublishForm::Length, PublishForm::LengthAndCtrlZ] {
        let script = ">> AT+QMTPUB=2,9,1,1,\"t\",1\n<< ERROR";
        assert_eq!(publish(second(form, b"x"), script).await.unwrap_err().outcome(), Outcome::NotSent);
    }
    let script = ">> AT+QMTPUB=2,9,1,1,\"t\"\n<< ERROR";
    assert_eq!(
        publish(second(PublishForm::CtrlZ, b"x"), script).await.unwrap_err().outcome(),
        Outcome::NotSent
    );
}

#[test]
fn what_a_form_cannot_carry() {
    for byte in 0..=u8::MAX {
        let payload = || vec![b'a', byte];
        let takes = |form| QmtPub::new(form, 0, "t", payload()).operation().is_ok();
        assert!(takes(PublishForm::Length) && takes(PublishForm::LengthAndCtrlZ), "{byte:#04x}");
        assert_eq!(takes(PublishForm::CtrlZ), byte != 0x1A && byte != 0x1B, "{byte:#04x}");
        let is_text = byte >= 0x20 && byte != 0x7F && byte != b'"';
        assert_eq!(takes(PublishForm::Inline), is_text, "{byte:#04x}");
        assert_eq!(takes(PublishForm::InlineEx), is_text, "{byte:#04x}");
    }
    assert_eq!(
        refusal(PublishForm::CtrlZ, "ab\x1b"),
        "the payload holds byte 0x1B at position 2, which would end or cancel the input of this module"
    );
    assert!(refusal(PublishForm::Inline, "a\"b").starts_with("the payload holds byte 0x22 at position 1"));
}

#[test]
fn ranges_hold_in_every_form() {
    for form in FORMS {
        assert!(QmtPub::new(form, 5, "t", vec![b'x'; 1500]).operation().is_ok());
        assert!(refusal(form, vec![b'x'; 1501]).contains("at most 1500"), "{form:?}");
        assert!(refusal(form, "").contains("empty"), "{form:?}");
        assert!(QmtPub::new(form, 6, "t", "x").operation().is_err(), "{form:?}");
        assert!(QmtPub::new(form, 0, "t\"", "x").operation().is_err(), "{form:?}");
        assert!(QmtPub::new(form, 0, "t", "x").qos(QoS::AtLeastOnce, 0).operation().is_err(), "{form:?}");
    }
}
