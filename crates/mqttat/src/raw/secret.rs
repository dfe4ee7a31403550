//! Where passwords, keys and PINs stand in what is said, in commands and in answers alike.

use std::ops::Range;

use super::part::{Form, Part};

/// Which fields are secret behind a name: the first of them, and all that follow.
struct Secret {
    name: &'static str,
    /// What the first field must be: the key of a command that sets many things.
    key: Option<&'static str>,
    /// Counted from 0, behind `=`.
    written: usize,
    /// Counted from 0, behind `:`, if the module says it, too.
    told: Option<usize>,
}

/// Told as it is written.
const fn both(name: &'static str, first: usize) -> Secret {
    Secret { name, key: None, written: first, told: Some(first) }
}

/// Told at another place than it is written.
const fn moved(name: &'static str, written: usize, told: usize) -> Secret {
    Secret { name, key: None, written, told: Some(told) }
}

/// Never told.
const fn written(name: &'static str, first: usize) -> Secret {
    Secret { name, key: None, written: first, told: None }
}

const fn keyed(name: &'static str, key: &'static str, written: usize, told: usize) -> Secret {
    Secret { name, key: Some(key), written, told: Some(told) }
}

const SECRETS: &[Secret] = &[
    // The SIM.
    written("+CPIN", 0),
    written("+CPIN2", 0),
    written("+CPWD", 1),
    written("+CLCK", 2),
    // Access points.
    both("+CGAUTH", 2),
    both("+CSOCKAUTH", 2),
    both("+XGAUTH", 3),
    both("+MGAUTH", 3),
    both("+CNCFG", 4),
    both("+CSTT", 2),
    both("+SAPBR", 3),
    both("+NETAPN", 2),
    moved("+QICSGP", 4, 3),
    written("+MIPCALL", 3),
    // Wireless networks.
    written("+CWJAP", 1),
    written("+CWJAP_CUR", 1),
    written("+CWJAP_DEF", 1),
    both("+CWSAP", 1),
    both("+CWSAP_CUR", 1),
    both("+CWSAP_DEF", 1),
    // Brokers and clouds.
    written("+QMTCONN", 3),
    keyed("+QMTCFG", "aliauth", 2, 1),
    keyed("+QMTCFG", "hwauth", 2, 1),
    keyed("+QMTCFG", "hwprodid", 2, 1),
    keyed("+QMTCFG", "onenet", 2, 1),
    both("+CMQTTCONNECT", 5),
    keyed("+SMCONF", "password", 1, 1),
    both("+MQTTUSER", 2),
    both("+MQTTUSERCFG", 4),
    both("+MQTTPASSWORD", 1),
    // It makes a password of a device's secret, and says it.
    moved("+MQTTAUTHCFG", 3, 2),
    both("+MQTTCONNPARAM", 2),
    both("+CLOUDHDAUTH", 2),
    // Keys of TLS, and other services.
    keyed("+CSSLCFG", "password", 2, 2),
    keyed("+CSSLCFG", "keypwd", 2, 2),
    both("+CIPSSLCPSK", 1),
    keyed("+QFTPCFG", "account", 2, 2),
    keyed("+QSMTPCFG", "account", 2, 2),
    keyed("+QHTTPCFG", "auth", 1, 1),
    both("+CFTPSLOGIN", 3),
    both("+CSMTPSAUTH", 2),
];

/// Commands behind whose prompt a password is written, or a file that may be a key.
const UPLOADS: &[&str] = &[
    "+QFUPL",
    "+QFWRITE",
    "+QSECWRITE",
    "+CCERTDOWN",
    "+CFTRANRX",
    "+CERTADD",
    "+GTSSLFILE",
    "+SYSMFG",
    "+SYSFLASH",
    "+MQTTLONGPASSWORD",
];

/// Where the secrets of a line are, wherever in the line the name stands that tells of them: in front of a command
/// there may be garbage, or the words of whoever logged it.
pub(super) fn find(line: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in (0..line.len()).filter(|at| line.get(*at) == Some(&b'+')) {
        if found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let rest = line.get(at..).unwrap_or_default();
        let end = rest.iter().skip(1).position(|byte| !is_of_name(*byte)).map_or(rest.len(), |end| end + 1);
        let (name, behind) = rest.split_at(end);
        let Some(first) = first_secret(name, behind) else { continue };
        // The separator, and blanks in front of it.
        let start = at + end + behind.iter().position(|byte| b"=:".contains(byte)).unwrap_or_default() + 1;
        let fields = fields(line.get(start..).unwrap_or_default());
        found.extend(fields.into_iter().skip(first).map(|field| start + field.start..start + field.end));
    }
    found
}

/// Whether the line's own name tells of secrets in it.
pub(super) fn heads(line: &[u8]) -> bool {
    let end = line.iter().skip(1).position(|byte| !is_of_name(*byte)).map_or(line.len(), |end| end + 1);
    line.split_at_checked(end).is_some_and(|(name, behind)| first_secret(name, behind).is_some())
}

/// Whether what is written behind the command's prompt must not be shown.
pub(super) fn is_upload(part: &Part<'_>) -> bool {
    part.form() == Form::Write && UPLOADS.contains(&part.name())
}

/// Whether it asks for something secret.
pub(super) fn is_asked_by(part: &Part<'_>) -> bool {
    let told = SECRETS.iter().filter(|secret| secret.name == part.name() && secret.told.is_some());
    let fits = |secret: &Secret| secret.key.is_none_or(|key| key == part.key());
    match (part.name(), part.form()) {
        // These are read by writing fewer arguments.
        ("+QICSGP", Form::Write) => part.arguments().len() == 1,
        ("+QMTCFG", Form::Write) => told.clone().any(fits),
        ("+MQTTAUTHCFG", Form::Write) => true,
        ("+CPWD", Form::Read) => true,
        (_, Form::Read) => told.clone().next().is_some(),
        _ => false,
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Which field is the first secret one, of what stands behind a name.
fn first_secret(name: &[u8], behind: &[u8]) -> Option<usize> {
    let known = SECRETS.iter().filter(|secret| secret.name.as_bytes().eq_ignore_ascii_case(name));
    let (separator, values) = behind.trim_ascii_start().split_first()?;
    if *separator == b'=' && values.trim_ascii() == b"?" {
        return None;
    }
    let key = values.split(|byte| *byte == b',').next().unwrap_or_default();
    let key = trimmed(key, b"\"\\' ");
    let fits = |secret: &Secret| secret.key.is_none_or(|it| it.as_bytes().eq_ignore_ascii_case(key));
    known.filter(|secret| fits(secret)).find_map(|secret| match separator {
        b'=' => Some(secret.written),
        b':' => secret.told,
        _ => None,
    })
}

/// Without these bytes at both ends.
fn trimmed<'a>(text: &'a [u8], what: &[u8]) -> &'a [u8] {
    let is_kept = |byte: &u8| !what.contains(byte);
    let start = text.iter().position(is_kept).unwrap_or(text.len());
    let end = text.iter().rposition(is_kept).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// The fields of what stands behind a separator, up to the next command of the line.
///
/// A comma in a text ends no field, unless that text may have ended in front of it: rather too much is hidden than too
/// little.
fn fields(text: &[u8]) -> Vec<Range<usize>> {
    let is_odd = text.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
    let byte_at = |at: Option<usize>| at.and_then(|at| text.get(at));
    let mut fields = Vec::new();
    let (mut start, mut quoted, mut end) = (0, false, text.len());
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' => {
                let between =
                    byte_at(at.checked_sub(1)) == Some(&b'"') && byte_at(Some(at + 1)) == Some(&b'"');
                if is_odd || !quoted || between {
                    fields.push(start..at);
                    start = at + 1;
                }
            }
            b';' if !quoted && !is_odd && text.get(at + 1..).is_some_and(begins_command) => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let kept = text.get(start..end).unwrap_or_default().trim_ascii_end().len();
    fields.push(start..start + kept);
    fields
}

fn begins_command(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(line: &str) -> Vec<&str> {
        find(line.as_bytes()).into_iter().map(|it| &line[it]).collect()
    }

    #[test]
    fn secrets_are_found_in_answers() {
        for (line, secrets) in [
            ("+CMQTTCONNECT: 0,\"tcp://b:1883\",60,1,\"u\",\"pw\"", &["\"pw\""][..]),
            ("+CMQTTCONNECT: 0,0", &[]),
            ("+CGAUTH: 1,1,\"user\",\"pw\"", &["\"user\"", "\"pw\""]),
            ("+CSOCKAUTH: 1,1,\"pw\",\"user\"", &["\"pw\"", "\"user\""]),
            ("+XGAUTH: 1,1,\"user\",\"pw\"", &["\"pw\""]),
            ("+QICSGP: 1,\"apn\",\"user\",\"pw\",1", &["\"pw\"", "1"]),
            ("+QMTCFG: \"aliauth\",\"key\",\"name\",\"pw\"", &["\"key\"", "\"name\"", "\"pw\""]),
            ("+QMTCFG: \"keepalive\",120", &[]),
            ("+MQTTUSER: 1,\"joe\",\"pw\",\"id\"", &["\"pw\"", "\"id\""]),
            ("+MQTTAUTHCFG: \"id\",\"user\",\"pw\"", &["\"pw\""]),
            ("+MQTTCONNPARAM:\"a\",\"user\",\"pw\"", &["\"pw\""]),
            ("+CLOUDHDAUTH: a,b,pw", &["pw"]),
            ("+CPIN: READY", &[]),
            ("+CLCK: 0", &[]),
            ("+MIPCALL: 1,10.0.0.1", &[]),
        ] {
            assert_eq!(hidden(line), secrets, "{line}");
        }
    }

    #[test]
    fn secrets_are_found_wherever_the_name_stands() {
        for line in [
            "Sent..AT+MQTTCONNPARAM=\"id\",\"user\",\"pw\"   Rcvd as expected..OK",
            "I (1234) modem: sending: AT+MQTTCONNPARAM=\"id\",\"user\",\"pw\"",
            "Send AT+MQTTCONNPARAM = \"id\",\"user\",\"pw\"",
            "at+mqttconnparam=\"id\",\"user\",\"pw",
            "AT+MQTTCONNPARAM=id,user,pw",
            "AT+MQTTCONNPARAM=\"id\",\"us\"er\",\"pw\"",
            "AT+MQTTCONNPARAM=\"i\"d\",\"us\"er\",\"pw\"",
            "{\"cmd\": \"AT+MQTTCONNPARAM=\\\"id\\\",\\\"user\\\",\\\"pw\\\"\"}",
            "AT+CSQ;+MQTTCONNPARAM=\"id\",\"user\",\"pw;+w\"",
            "AT+CSOCKAUTH=1,1,\"pw\",\"user\"",
            "AT+CSSLCFG=\"password\",0,\"pw\"",
        ] {
            let found = hidden(line);
            assert!(found.iter().any(|it| it.contains("pw")), "{line}: {found:?}");
            let shown = super::super::masked(line);
            assert!(!shown.contains("pw") && shown.contains("***"), "{shown}");
        }
        assert_eq!(hidden("AT+CPIN=?"), Vec::<&str>::new());
        assert_eq!(hidden("AT+CPIN=1234;+CSQ"), ["1234"]);
    }

    #[test]
    fn files_that_may_be_keys_are_known() {
        let is_upload = |text| super::super::part::parts(text).iter().any(is_upload);
        for text in ["AT+QFUPL=\"key.pem\",1704", "at+ccertdown=\"k\",3", "AT+CERTADD=k,3"] {
            assert!(is_upload(text), "{text}");
        }
        assert!(!is_upload("AT+QMTPUBEX=0,0,0,0,\"t\",5") && !is_upload("AT+QFUPL=?"));
    }
}
