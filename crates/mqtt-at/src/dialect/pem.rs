//! Certificates and keys in PEM form, and names for them on a module.

use crate::error::InputError;

/// FNV-1a with 64 bits. It tells files apart by name and proves nothing: whoever can write files on the module can
/// write other certificates under any name.
pub(crate) fn name_hash(contents: &[u8]) -> u64 {
    contents
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Whether a text can be a certificate in PEM form.
pub(crate) fn check_certificate(field: &'static str, pem: &[u8]) -> Result<(), InputError> {
    check(field, pem, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
}

/// Whether a text can be a private key in PEM form: `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
pub(crate) fn check_key(field: &'static str, pem: &[u8]) -> Result<(), InputError> {
    check(field, pem, "-----BEGIN ", "PRIVATE KEY-----")
}

fn check(field: &'static str, pem: &[u8], begin: &str, end: &str) -> Result<(), InputError> {
    let text = std::str::from_utf8(pem).unwrap_or_default();
    match text.find(begin).and_then(|at| text.get(at + begin.len()..)) {
        Some(rest) if rest.contains(end) => Ok(()),
        _ => Err(InputError::Malformed { field, problem: format!("is not in PEM form: no {begin}").into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_contents_apart() {
        // Published test values of FNV-1a.
        assert_eq!(name_hash(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(name_hash(b"a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(name_hash(b"foobar"), 0x8594_4171_F739_67E8);
    }

    #[test]
    fn pem_is_told_from_other_forms() {
        let certificate = b"# comment\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        assert_eq!(check_certificate("x", certificate), Ok(()));
        for bad in [&b""[..], b"\x30\x82", b"-----BEGIN CERTIFICATE-----\nMII", b"\xFF"] {
            assert!(check_certificate("x", bad).is_err());
        }
        assert_eq!(
            check_key("x", b"-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----"),
            Ok(())
        );
        assert!(check_key("x", certificate).is_err());
    }
}
