//! Where modules differ from their vendor's manual and cannot say so themselves.

use std::borrow::Cow;
use std::fmt;

use crate::identity::Identity;
use crate::quectel::PublishForm;
use crate::vendor::Vendor;

/// A deviation from the manual, and the modules that have it, for [`ModemOptions::quirk`](crate::ModemOptions::quirk).
///
/// A pattern stands for how the model's or the firmware's name begins, in whatever case: `#` is a digit, `*` any
/// characters, so that `*` alone or nothing fits every name, also one that the module does not tell. A model is
/// compared without the vendor's name in front of it.
///
/// # Examples
///
/// ```
/// use mqtt_at::quectel::PublishForm;
/// use mqtt_at::{ModemOptions, Quirk, QuirkRule, Vendor};
///
/// // Some new module wants Ctrl-Z behind the payload, up to a certain firmware.
/// let options = ModemOptions::new().quirk(QuirkRule {
///     vendor: Vendor::Quectel,
///     model: "BC9##".into(),
///     firmware: "BC9##*R01A0#".into(),
///     quirk: Quirk::QuectelPublish(PublishForm::LengthAndCtrlZ),
/// });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuirkRule {
    /// The maker.
    pub vendor: Vendor,
    /// How the model's name begins.
    pub model: Cow<'static, str>,
    /// How the firmware's version begins.
    pub firmware: Cow<'static, str>,
    /// What is different.
    pub quirk: Quirk,
}

/// A way in which modules differ from their vendor's manual.
///
/// [`QuirkRule`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// A Quectel module that publishes in another form than with the `AT+QMTPUBEX` of the manual.
    QuectelPublish(PublishForm),
}

impl Quirk {
    /// The deviations that this version knows of a module, without those of [`QuirkRule`]s. What a module says of
    /// itself when it is asked counts for more.
    pub fn known_of(vendor: Vendor, identity: &Identity) -> Vec<Self> {
        Quirks::of(vendor, identity, &[]).known
    }
}

/// What is different, in a few words.
impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuectelPublish(form) => f.write_str(match form {
                PublishForm::Length => "publishes with AT+QMTPUB and a length",
                PublishForm::LengthAndCtrlZ => "publishes with AT+QMTPUB, a length and Ctrl-Z",
                PublishForm::CtrlZ => "publishes with AT+QMTPUB, ended by Ctrl-Z",
                PublishForm::Inline => "publishes with AT+QMTPUB and the payload in quotation marks",
                PublishForm::InlineEx => "publishes with AT+QMTPUBEX and the payload in quotation marks",
            }),
        }
    }
}

/// The deviations of one module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quirks {
    /// Those that the user knows of, which need no proof.
    pub(crate) chosen: Vec<Quirk>,
    /// Those that are known of such modules. What the module says of itself counts for more.
    pub(crate) known: Vec<Quirk>,
}

impl Quirks {
    /// Those of a module; where rules disagree, the first of them counts.
    pub(crate) fn of(vendor: Vendor, identity: &Identity, rules: &[QuirkRule]) -> Self {
        let of = |rules: &[QuirkRule]| -> Vec<Quirk> {
            rules.iter().filter(|rule| rule.fits(vendor, identity)).map(|rule| rule.quirk).collect()
        };
        Self { chosen: of(rules), known: of(KNOWN) }
    }
}

impl QuirkRule {
    const fn known(vendor: Vendor, model: &'static str, quirk: Quirk) -> Self {
        Self { vendor, model: Cow::Borrowed(model), firmware: Cow::Borrowed("*"), quirk }
    }

    fn fits(&self, vendor: Vendor, identity: &Identity) -> bool {
        let model = bare_model(vendor, identity.model.as_deref().unwrap_or_default());
        let firmware = identity.revision.as_deref().unwrap_or_default();
        self.vendor == vendor && begins_like(model, &self.model) && begins_like(firmware, &self.firmware)
    }
}

/// Seen in logs and drivers. Of modules with several forms, this is the one of firmware that cannot be asked.
const KNOWN: &[QuirkRule] = &[
    publishes("BG96", PublishForm::Length),
    publishes("BG95", PublishForm::Length),
    publishes("BG77", PublishForm::Length),
    publishes("BC660K", PublishForm::LengthAndCtrlZ),
    publishes("M95", PublishForm::CtrlZ),
    publishes("MC20", PublishForm::CtrlZ),
    publishes("BC26", PublishForm::Inline),
    publishes("BC28", PublishForm::Inline),
];

const fn publishes(model: &'static str, form: PublishForm) -> QuirkRule {
    QuirkRule::known(Vendor::Quectel, model, Quirk::QuectelPublish(form))
}

/// A model without what stands in front of it: `Model: X`, `Quectel_X`.
fn bare_model(vendor: Vendor, model: &str) -> &str {
    let model = model.strip_prefix("Model:").unwrap_or(model).trim();
    let vendor = vendor.to_string();
    match model.split_at_checked(vendor.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(&vendor) => rest.trim_start_matches(['_', '-', ' ']),
        _ => model,
    }
}

/// Whether a name begins as a pattern says.
fn begins_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*').map(str::as_bytes);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = behind(name.as_bytes(), first) else { return false };
    parts.all(|part| {
        // The leftmost place leaves the most room for the parts behind it.
        let found = (0..=rest.len()).find_map(|at| behind(rest.get(at..)?, part));
        found.map(|behind| rest = behind).is_some()
    })
}

/// What stands behind a part of a pattern without `*`, if the name begins with it.
fn behind<'a>(name: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = name.split_at_checked(part.len())?;
    let fits = |(byte, wanted): (&u8, &u8)| match wanted {
        b'#' => byte.is_ascii_digit(),
        wanted => byte.eq_ignore_ascii_case(wanted),
    };
    head.iter().zip(part).all(fits).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(model: &str, firmware: &str) -> Identity {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Identity { model: some(model), revision: some(firmware), ..Identity::default() }
    }

    fn rule(model: &'static str, firmware: &'static str, form: PublishForm) -> QuirkRule {
        QuirkRule {
            vendor: Vendor::Quectel,
            model: model.into(),
            firmware: firmware.into(),
            quirk: Quirk::QuectelPublish(form),
        }
    }

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("", ""),
            ("*", ""),
            ("*", "BG96"),
            ("BG##", "BG96MAR02A07M1G"),
            ("bg9#", "BG95-M3"),
            ("BG96*A0#", "BG96MAR02A07M1G"),
            ("BC660K-GL*R01*A05", "BC660K-GLAAR01R01A05"),
            ("*-M3", "BG95-M3"),
        ] {
            assert!(begins_like(name, pattern), "{pattern} fits {name}");
        }
        for (pattern, name) in [
            ("BG96", ""),
            ("BG96", "BG9"),
            ("BG##", "BG9X"),
            ("BG96*A08", "BG96MAR02A07M1G"),
            ("*A07*R02", "BG96MAR02A07M1G"),
            ("G96", "BG96"),
        ] {
            assert!(!begins_like(name, pattern), "{pattern} does not fit {name}");
        }
    }

    #[test]
    fn models_that_are_known() {
        for (model, form) in [
            ("BG96", Some(PublishForm::Length)),
            ("BG95-M3", Some(PublishForm::Length)),
            ("BG770A-GL", Some(PublishForm::Length)),
            ("Quectel_BC660K-GL", Some(PublishForm::LengthAndCtrlZ)),
            ("Quectel_M95", Some(PublishForm::CtrlZ)),
            ("Model: MC20", Some(PublishForm::CtrlZ)),
            ("BC26", Some(PublishForm::Inline)),
            ("QUECTEL BC28", Some(PublishForm::Inline)),
            ("EC200T", None),
            ("EG915U", None),
            ("", None),
        ] {
            let expected: Vec<_> = form.map(Quirk::QuectelPublish).into_iter().collect();
            let quirks = Quirks::of(Vendor::Quectel, &identity(model, ""), &[]);
            assert_eq!(Quirk::known_of(Vendor::Quectel, &identity(model, "")), expected, "{model}");
            assert_eq!((quirks.known, quirks.chosen), (expected, Vec::new()), "{model}");
        }
        let other = Quirks::of(Vendor::Fibocom, &identity("BG96", ""), &[]);
        assert!(other.known.is_empty(), "another vendor's model of this name is another model");
    }

    #[test]
    fn each_has_words_of_its_own() {
        let mut words: Vec<_> = KNOWN.iter().map(|rule| (rule.quirk, rule.quirk.to_string())).collect();
        assert!(words.iter().all(|(_, words)| words.starts_with("publishes with AT+QMTPUB")));
        words.sort_by(|one, other| one.1.cmp(&other.1));
        words.dedup_by(|one, other| one.1 == other.1);
        assert_eq!(words.len(), 4, "as many as there are kinds: {words:?}");
    }

    #[test]
    fn rules_of_the_user() {
        let rules = [
            rule("BG9#", "*A0#", PublishForm::CtrlZ),
            rule("*", "BG96", PublishForm::Inline),
            rule("EC", "*", PublishForm::Inline),
        ];
        let quirks = Quirks::of(Vendor::Quectel, &identity("BG96", "BG96MAR02A07M1G"), &rules);
        let chosen = [PublishForm::CtrlZ, PublishForm::Inline].map(Quirk::QuectelPublish);
        assert_eq!(
            (&quirks.chosen[..], &quirks.known[..]),
            (&chosen[..], &[Quirk::QuectelPublish(PublishForm::Length)][..])
        );
        let quirks = Quirks::of(Vendor::Quectel, &identity("BG96", "BG96MBR03"), &rules);
        assert_eq!(quirks.chosen, [Quirk::QuectelPublish(PublishForm::Inline)]);
    }
}
