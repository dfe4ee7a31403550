//! Private keys in a conversation: as PEM wherever they stand, and as files or passwords that go to the module.

use virtual_modem::Direction;

use crate::raw;

/// What is known of the conversation so far.
#[derive(Default)]
pub(super) struct Keys {
    /// Whether a private key has begun and not ended.
    in_pem: bool,
    upload: Option<Upload>,
    /// Lines that were hidden: the module may repeat them.
    hidden: Vec<Vec<u8>>,
}

/// Data that the host is writing.
struct Upload {
    /// The command's name. A line that it heads is the end.
    name: String,
    /// How many bytes are to come, if that was said.
    left: Option<usize>,
    /// Whether the module has asked for them.
    asked: bool,
    /// Whether they are a certificate, which is no secret.
    public: Option<bool>,
}

impl Keys {
    /// Hides what is secret in what was said; whether anything was.
    pub(super) fn hide(&mut self, direction: Direction, bytes: &mut [u8]) -> bool {
        let by_data = match direction {
            Direction::HostToModule => self.hear_host(bytes),
            Direction::ModuleToHost => self.hear_module(bytes),
        };
        self.hide_pem(bytes) || by_data
    }

    fn hear_host(&mut self, bytes: &mut [u8]) -> bool {
        if raw::asks_for_secret(&String::from_utf8_lossy(bytes)) {
            let line = bytes.trim_ascii();
            let left = mqtt_at::offline::Analyser::announced_length(line);
            let name = line.get(2..).unwrap_or_default().split(|byte| b"= ".contains(byte)).next();
            let name = String::from_utf8_lossy(name.unwrap_or_default()).to_ascii_uppercase();
            self.upload = Some(Upload { name, left, asked: false, public: None });
            return false;
        }
        let Some(upload) = self.upload.as_mut().filter(|upload| upload.asked) else { return false };
        let text = bytes.trim_ascii_start();
        let begins = upload.public.is_none();
        if begins && text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"AT+")) {
            // What was written to the module was left out of the log.
            self.upload = None;
            return false;
        }
        let public = *upload.public.get_or_insert_with(|| text.starts_with(b"-----BEGIN CERT"));
        let taken = upload.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        upload.left = upload.left.map(|left| left - taken);
        if upload.left == Some(0) {
            self.upload = None;
        }
        if public {
            return false;
        }
        let data = bytes.get_mut(..taken).unwrap_or_default();
        for line in data.split(|byte| matches!(byte, b'\r' | b'\n')) {
            self.remember(line);
        }
        star(data)
    }

    fn hear_module(&mut self, bytes: &mut [u8]) -> bool {
        let mut any = false;
        for line in bytes.split_mut(|byte| matches!(byte, b'\r' | b'\n')) {
            let text = line.trim_ascii();
            if let Some(upload) = &mut self.upload {
                upload.asked |= text.starts_with(b">") || text == b"CONNECT";
                // Whatever was announced, no more will come.
                let is_result = at_name(text).is_some_and(|name| name == upload.name.as_bytes());
                if upload.asked && (is_final(text) || is_result) {
                    self.upload = None;
                }
            }
            if self.hidden.iter().any(|hidden| hidden == text) {
                any |= star(line);
            }
        }
        any
    }

    fn remember(&mut self, line: &[u8]) {
        const SHORTEST: usize = 6;
        let line = line.trim_ascii();
        if line.len() >= SHORTEST {
            self.hidden.push(line.to_vec());
        }
    }

    /// Hides what stands between the marks of a private key, line by line.
    pub(super) fn hide_pem(&mut self, bytes: &mut [u8]) -> bool {
        let mut any = false;
        for line in bytes.split_mut(|byte| matches!(byte, b'\r' | b'\n')) {
            let begin = position(line, b"PRIVATE KEY-----")
                .filter(|at| position(line.get(..*at).unwrap_or_default(), b"-----BEGIN").is_some());
            let from = match begin {
                Some(at) => at + b"PRIVATE KEY-----".len(),
                None if self.in_pem => 0,
                None => continue,
            };
            let body = line.get_mut(from..).unwrap_or_default();
            let end = position(body, b"-----END");
            // A key that was not written down to its end must not hide the rest of the conversation.
            self.in_pem = end.is_none() && (begin.is_some() || is_of_pem(body));
            if begin.is_some() || end.is_some() || self.in_pem {
                any |= star(body.get_mut(..end.unwrap_or(body.len())).unwrap_or_default());
            }
        }
        any
    }
}

/// Whether a line may stand within a PEM file.
fn is_of_pem(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    let is_header = text.starts_with(b"Proc-Type:") || text.starts_with(b"DEK-Info:");
    is_header
        || !is_final(text) && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=*".contains(byte))
}

/// What stands in front of a line's colon.
fn at_name(text: &[u8]) -> Option<&[u8]> {
    text.starts_with(b"+").then(|| text.split(|byte| *byte == b':').next())?
}

fn is_final(text: &[u8]) -> bool {
    matches!(text, b"OK" | b"ERROR") || text.starts_with(b"+CME ERROR") || text.starts_with(b"+CMS ERROR")
}

/// Puts stars in place of all but line ends; whether there was anything.
fn star(bytes: &mut [u8]) -> bool {
    let mut any = false;
    for byte in bytes.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b'*';
        any = true;
    }
    any
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::super::hide_secrets;
    use virtual_modem::Transcript;

    fn shown(text: &str) -> String {
        let mut transcript: Transcript = text.parse().unwrap();
        hide_secrets(&mut transcript);
        transcript.to_string()
    }

    const PEM: &str = ">> -----BEGIN PRIVATE KEY-----\\n\\\n>> c2VzYW1l\\n\\\n>> b3Blbg==\\n\\\n>> -----END PRIVATE KEY-----\\\n";

    #[test]
    fn keys_of_every_vendor_are_hidden() {
        for (command, prompt) in [
            ("AT+CCERTDOWN=\"key.pem\",64", "\\r\\n>\\"),
            ("AT+QFUPL=\"key.pem\",64,100", "CONNECT"),
            ("AT+CERTADD=key.pem,64", "\\r\\n> \\"),
            ("AT+QMTPUBEX=0,0,0,0,\"t\",64", "\\r\\n> \\"),
        ] {
            let shown = shown(&format!(
                ">> {command}\n<< {prompt}\n{PEM}<< c2VzYW1l\n<< OK\n>> AT+CSQ\n<< +CSQ: 20,99\n<< OK\n"
            ));
            assert!(!shown.contains("b3Blbg"), "{shown}");
            assert!(shown.contains(">> AT+CSQ\n<< +CSQ: 20,99\n<< OK"), "{shown}");
        }
    }

    #[test]
    fn a_file_that_is_no_pem_is_hidden_and_its_echo() {
        let shown =
            shown(">> AT+QFUPL=\"key.der\",8\n<< CONNECT\n>> derBytes\\\n<< derBytes\n<< OK\n>> AT\n<< OK\n");
        assert_eq!(
            shown,
            ">> AT+QFUPL=\"key.der\",8\n<< CONNECT\n>> ********\\\n<< ********\n<< OK\n>> AT\n<< OK\n"
        );
    }

    #[test]
    fn what_follows_an_upload_is_shown() {
        for end in ["<< +CERTADD: 1675,OK\n", ""] {
            let text =
                format!(">> AT+CERTADD=key,1675\n<< CONNECT\n{end}>> AT+AWSTLSCFG=authmode,1\n<< OK\n");
            assert_eq!(shown(&text), text);
        }
    }

    #[test]
    fn a_certificate_is_shown() {
        let text = ">> AT+QFUPL=\"ca.pem\",38\n<< CONNECT\n>> -----BEGIN CERTIFICATE-----\\n\\\n>> MIIBaaaaaa\\\n<< OK\n";
        assert_eq!(shown(text), text);
    }

    #[test]
    fn a_key_that_the_log_breaks_off_hides_no_more_than_itself() {
        let shown = shown(
            ">> AT+CCERTDOWN=\"k\",1704\n<< \\r\\n>\\\n>> -----BEGIN PRIVATE KEY-----\n>> c2VzYW1l\n<< OK\n>> AT+CSQ\n<< OK\n# @9 -----BEGIN RSA PRIVATE KEY-----\\nb3Blbg==\n",
        );
        assert!(!shown.contains("c2VzYW1l") && !shown.contains("b3Blbg"), "{shown}");
        assert!(shown.contains(">> AT+CSQ"), "{shown}");
    }
}
