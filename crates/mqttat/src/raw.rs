//! What must be known of a command that a person typed, and of what the module answers: whether it may be sent, and
//! what of it may be shown.

use std::ops::Range;

use crate::failure::Failure;

mod part;
mod secret;
mod tables;

/// Refuses what would harm the module or the link: with `force` only what this program cannot carry out.
pub(crate) fn check(text: &str, force: bool) -> Result<(), Failure> {
    for part in part::parts(text) {
        let shown = format!("AT{}", part.name());
        if tables::enters_data_mode(&part) {
            return Err(Failure::caller(format!("{shown} would turn the port into a data connection"))
                .remedy("use a program that dials, on another port of the module"));
        }
        if tables::wants_data(&part) {
            return Err(Failure::caller(format!(
                "{shown} asks for data with a prompt, and there is none to give here"
            ))
            .remedy("use `pub` for messages and --cafile, --cert and --key for certificates"));
        }
        if let Some(harm) = tables::harm(&part).filter(|_| !force) {
            return Err(
                Failure::caller(format!("{shown} {harm}")).remedy("add --force if that is what you want")
            );
        }
    }
    Ok(())
}

/// Whether the line holds a password, key or PIN.
pub(crate) fn has_secret(text: &str) -> bool {
    !secret::find(text.as_bytes()).is_empty()
}

/// Where the passwords, keys and PINs of a line stand, be it a command, an answer, or what somebody logged of it.
pub(crate) fn secrets(line: &[u8]) -> Vec<Range<usize>> {
    secret::find(line)
}

/// Whether the module will answer with a password or key.
pub(crate) fn answers_with_secret(text: &str) -> bool {
    part::parts(text).iter().any(secret::is_asked_by)
}

/// Whether the module will ask for data that must not be shown: a password, or a file that may be a key.
pub(crate) fn asks_for_secret(text: &str) -> bool {
    part::parts(text).iter().any(secret::is_upload)
}

/// A line of the module as it may be shown. A payload in it is no secret, whatever it looks like.
pub(crate) fn masked_line(text: &str) -> String {
    if secret::heads(text.as_bytes()) { masked(text) } else { text.to_owned() }
}

/// The line as it may be shown.
pub(crate) fn masked(text: &str) -> String {
    with_secrets(text, |_| "***".to_owned())
}

/// The line with a star for each character that may be secret, for one that is still being typed.
pub(crate) fn starred(text: &str) -> String {
    with_secrets(text, |secret| "*".repeat(secret.chars().count()))
}

/// The line with something in place of each secret.
fn with_secrets(text: &str, shown: impl Fn(&str) -> String) -> String {
    let mut line = text.to_owned();
    for secret in secret::find(text.as_bytes()).into_iter().rev() {
        let instead = shown(text.get(secret.clone()).unwrap_or_default());
        line.replace_range(secret, &instead);
    }
    line
}

/// A line of an answer as it may be shown.
pub(crate) fn masked_answer(line: &str) -> String {
    match line.split_once(':') {
        Some((name, _)) => format!("{name}: ***"),
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, force: bool) -> bool {
        check(text, force).is_err()
    }

    #[test]
    fn what_harms_needs_force() {
        for text in [
            "AT+CFUN=1,1",
            "at+qpowd",
            "+QLINUXCMD=\"rm\"",
            "AT+QFOTADL=\"http://x\"",
            "+QPRTPARA=3",
            "AT+CSQ;+QPOWD=0",
            "AT+CPIN=\"1234\"",
            "AT+IPR=9600",
            "AT&F",
            "ATE0V0",
            "ATQ1",
            "AT+QCFG=\"usbcfg\",1",
        ] {
            assert!(refused(text, false) && !refused(text, true), "{text}");
        }
        for text in [
            "",
            "AT",
            "ATI",
            "+CSQ",
            "AT+CFUN?",
            "AT+CFUN=?",
            "AT+CPIN?",
            "ATE0",
            "AT+X=\";+QPOWD;\"",
            "AT+QCFG=\"nwscanmode\"",
        ] {
            assert!(!refused(text, false), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_refused_even_with_force() {
        for text in [
            "AT+QMTPUBEX=0,0,0,0,\"t\",5",
            "+CMQTTSUB=0,5,1",
            "AT+CMGS=\"123\"",
            "ATD*99#",
            "AT+CSQ;D123",
            "ATO",
            "AT+CGDATA=\"PPP\",1",
            "AT+MQTTPUB=1,\"t\",0,0,5",
            "AT+QFUPL=\"x\",3",
            "AT+MQTTWILL=1,\"t\",0,0,149",
            "AT+MQTTPUBRAW=0,\"t\",5,0,0",
            "+QMTCFG=\"willex\",0,1,0,0,\"w\",5",
            "AT+qmtcfg=\"WillEx\",0,1,0,0,\"w\",5",
            "AT+QFTPPUT=\"a\",\"COM:\",0",
            "AT+QIOPEN=1,0,\"TCP\",\"h\",1,0,2",
            "AT+QISWTMD=0,2",
            "AT+QSMTPBODY=0,5",
            "AT+HTTPDATA=5,1000",
            "AT+TCPSEND=0,5",
            "AT+CIPSEND",
            "AT+SYSFLASH=1,\"mqtt_ca\",0,1188",
        ] {
            assert!(refused(text, true), "{text}");
        }
        for text in [
            "AT+QMTPUBEX=?",
            "AT+CMQTTSUB=0",
            "AT+MQTTPUB=1,\"t\",0,0,\"x\"",
            "AT+CMGS=?",
            "AT+QMTCFG=\"willex\",0",
            "AT+QMTCFG=\"will\",0,1,0,0,\"w\",\"m\"",
            "AT+QFTPPUT=\"a\",\"UFS:a\",0",
            "AT+QIOPEN=1,0,\"TCP\",\"h\",1,0,1",
            "AT+QISWTMD=0,1",
            "AT+SYSFLASH?",
            "AT+SYSFLASH=2,\"mqtt_ca\",0,16",
        ] {
            assert!(!refused(text, false), "{text}");
        }
    }

    #[test]
    fn secrets_are_masked_and_the_rest_is_not() {
        for (text, shown) in [
            ("AT+CSQ", "AT+CSQ"),
            ("AT+QMTCONN=0,\"id\"", "AT+QMTCONN=0,\"id\""),
            ("AT+QMTCONN=0,\"id\",\"u\",\"p,;w\"", "AT+QMTCONN=0,\"id\",\"u\",***"),
            ("+csq;+cpin=1234", "+csq;+cpin=***"),
            ("AT+QICSGP=1,1,\"apn\",\"u\",\"p\",1", "AT+QICSGP=1,1,\"apn\",\"u\",***,***"),
            ("AT+QMTCFG=\"hwauth\",0,\"id\",\"s\"", "AT+QMTCFG=\"hwauth\",0,***,***"),
            ("AT+QMTCFG=\"hwprodid\",0,\"id\",\"s\",\"n\"", "AT+QMTCFG=\"hwprodid\",0,***,***,***"),
            ("AT+QMTCFG=\"keepalive\",0,120", "AT+QMTCFG=\"keepalive\",0,120"),
            ("AT+MQTTUSER=1,\"u\",\"p\"", "AT+MQTTUSER=1,\"u\",***"),
            ("AT+MIPCALL=1,\"apn\"", "AT+MIPCALL=1,\"apn\""),
            ("AT+MIPCALL=1,\"apn\",\"u\",\"p\"", "AT+MIPCALL=1,\"apn\",\"u\",***"),
            ("AT+XGAUTH=1,1,\"u\",\"p\"", "AT+XGAUTH=1,1,\"u\",***"),
            ("AT+CWJAP=\"net\",\"p\"", "AT+CWJAP=\"net\",***"),
            (
                "AT+MQTTUSERCFG=0,1,\"i\",\"u\",\"p\",0,0,\"\"",
                "AT+MQTTUSERCFG=0,1,\"i\",\"u\",***,***,***,***",
            ),
            ("AT+MQTTAUTHCFG=1,\"k\",\"n\",\"s\",0", "AT+MQTTAUTHCFG=1,\"k\",\"n\",***,***"),
        ] {
            assert_eq!(masked(text), shown);
            assert_eq!(has_secret(text), shown.contains("***"), "{text}");
        }
    }

    #[test]
    fn secrets_are_starred_in_place() {
        for (text, shown) in [
            ("AT+CSQ", "AT+CSQ"),
            ("AT+QMTCONN=0,\"id\",\"us\",\"p,;w\"", "AT+QMTCONN=0,\"id\",\"us\",******"),
            ("  +cpin=12ä4;+CSQ", "  +cpin=****;+CSQ"),
            ("AT+QMTCFG=\"hwauth\",0,\"é\",\"s", "AT+QMTCFG=\"hwauth\",0,***,**"),
        ] {
            assert_eq!(starred(text), shown);
        }
    }

    #[test]
    fn answers_with_secrets_are_known() {
        for text in [
            "AT+MQTTUSER?",
            "at+cmqttconnect?",
            "AT+QMTCFG=\"aliauth\",0",
            "AT+CSQ;+MQTTCONNPARAM?",
            "AT+QICSGP=1",
            "AT+MQTTAUTHCFG=1,\"k\",\"n\",\"s\",0",
        ] {
            assert!(answers_with_secret(text), "{text}");
        }
        for text in ["AT+CSQ", "AT+QMTCONN?", "AT+QMTCFG=\"keepalive\",0", "AT+MQTTUSER=?"] {
            assert!(!answers_with_secret(text), "{text}");
        }
        assert_eq!(masked_answer("+QMTCFG: \"aliauth\",\"k\",\"n\",\"s\""), "+QMTCFG: ***");
        assert_eq!(masked_answer("open sesame"), "***");
    }
}
