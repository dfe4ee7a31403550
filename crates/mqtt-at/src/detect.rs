//! Which vendor a module is from, by what it says about itself.

use crate::identity::Identity;
use crate::vendor::Vendor;

/// The vendor of a module; `None` if nothing it says is known.
///
/// The maker's name goes first, wherever it stands; modules that hide it are known by their model.
pub(crate) fn vendor_of(identity: &Identity) -> Option<Vendor> {
    let Identity { manufacturer, model, information, .. } = identity;
    let by_name = manufacturer.iter().chain(model).chain(information).find_map(|text| named_in(text));
    let by_model = || model.iter().chain(information).find_map(|text| known_model(text));
    // Some SIMCom firmware has lost the first word of its maker's name.
    let by_rest = || manufacturer.as_deref().filter(|text| text.eq_ignore_ascii_case("INCORPORATED"));
    by_name.or_else(by_model).or_else(|| by_rest().map(|_| Vendor::SimCom))
}

/// The makers' names, as they occur in `SIMCOM INCORPORATED`, `SIMCOM_Ltd`, `Fibocom Wireless Inc.`.
const NAMES: &[(&str, Vendor)] = &[
    ("QUECTEL", Vendor::Quectel),
    ("SIMCOM", Vendor::SimCom),
    ("FIBOCOM", Vendor::Fibocom),
    ("NEOWAY", Vendor::Neoway),
    ("ESPRESSIF", Vendor::Espressif),
    ("ESP32", Vendor::Espressif),
    ("ESP8266", Vendor::Espressif),
];

/// How the names of models begin; `#` stands for a digit.
const MODELS: &[(&str, Vendor)] = &[
    ("EC###", Vendor::Quectel),
    ("EC2#", Vendor::Quectel),
    ("EG##", Vendor::Quectel),
    ("EM##", Vendor::Quectel),
    ("EP##", Vendor::Quectel),
    ("BG##", Vendor::Quectel),
    ("BC##", Vendor::Quectel),
    ("UC##", Vendor::Quectel),
    ("UG##", Vendor::Quectel),
    ("RG###", Vendor::Quectel),
    ("RM###", Vendor::Quectel),
    ("M95", Vendor::Quectel),
    ("M66", Vendor::Quectel),
    ("MC20", Vendor::Quectel),
    ("MC60", Vendor::Quectel),
    ("SIM###", Vendor::SimCom),
    ("A76##", Vendor::SimCom),
    ("A79##", Vendor::SimCom),
    ("L610", Vendor::Fibocom),
    ("L716", Vendor::Fibocom),
    ("L718", Vendor::Fibocom),
    ("LC6##", Vendor::Fibocom),
    ("MC61", Vendor::Fibocom),
    ("MC66", Vendor::Fibocom),
    ("MA510", Vendor::Fibocom),
    ("G5##", Vendor::Fibocom),
    ("M910", Vendor::Fibocom),
    ("NL###", Vendor::Fibocom),
    ("FG###", Vendor::Fibocom),
    ("FM###", Vendor::Fibocom),
    ("N##", Vendor::Neoway),
    ("M590", Vendor::Neoway),
    // ESP-AT tells no model, but its version in these words.
    ("AT version:", Vendor::Espressif),
];

fn named_in(text: &str) -> Option<Vendor> {
    let text = text.to_ascii_uppercase();
    NAMES.iter().find(|(name, _)| text.contains(name)).map(|(_, vendor)| *vendor)
}

fn known_model(text: &str) -> Option<Vendor> {
    let model = text.strip_prefix("Model:").unwrap_or(text).trim();
    MODELS.iter().find(|(pattern, _)| begins_like(model, pattern)).map(|(_, vendor)| *vendor)
}

fn begins_like(model: &str, pattern: &str) -> bool {
    let head = model.as_bytes().get(..pattern.len());
    head.is_some_and(|head| {
        head.iter().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'#' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(&wanted),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(manufacturer: &str, model: &str) -> Identity {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Identity { manufacturer: some(manufacturer), model: some(model), ..Identity::default() }
    }

    #[test]
    fn makers_name_themselves_in_many_ways() {
        for (manufacturer, model, vendor) in [
            ("Quectel", "EC800M", Vendor::Quectel),
            ("Quectel_Ltd", "BC95-G", Vendor::Quectel),
            ("SIMCOM INCORPORATED", "SIM7670G-MNGV", Vendor::SimCom),
            ("SIMCOM_Ltd", "SIMCOM_SIM7600EI", Vendor::SimCom),
            ("INCORPORATED", "A7670E-FASE", Vendor::SimCom),
            ("INCORPORATED", "Z9", Vendor::SimCom),
            ("Fibocom", "L610-CN-00-M00", Vendor::Fibocom),
            ("NEOWAY", "N706", Vendor::Neoway),
            // A chip maker's name says nothing of the module's.
            ("Unisoc", "L610", Vendor::Fibocom),
        ] {
            assert_eq!(vendor_of(&identity(manufacturer, model)), Some(vendor), "{manufacturer} {model}");
        }
    }

    #[test]
    fn models_tell_the_maker() {
        for (models, vendor) in [
            (
                "BG96 BG770A-GL BG95-M3 EC25 EC200U EC800MCN EG25-G EG912Y EG800K BC26 BC660K-GL M95 MC20",
                Vendor::Quectel,
            ),
            ("A7670E-FASE A7600E SIM7600G-H SIM7022 sim800l", Vendor::SimCom),
            ("L610 MC661 MC665 MC669-CN G510 NL668 NL661-EU M910-GL MA510", Vendor::Fibocom),
            ("ESP32-C3 ESP8266", Vendor::Espressif),
            ("N706 N11 N58-CA N720 N27 M590", Vendor::Neoway),
        ] {
            for model in models.split(' ') {
                assert_eq!(vendor_of(&identity("", model)), Some(vendor), "{model}");
            }
        }
    }

    #[test]
    fn a_stranger_stays_unknown() {
        for (manufacturer, model) in
            [("", ""), ("u-blox", "SARA-R410"), ("", "N7"), ("", "A7"), ("Telit", "ME910C1")]
        {
            assert_eq!(vendor_of(&identity(manufacturer, model)), None, "{manufacturer} {model}");
        }
    }

    #[test]
    fn what_the_module_says_besides_helps() {
        let information = vec!["AT version:2.1.0.0(883f7f2 - Jul 24 2020 11:50:07)".to_owned()];
        assert_eq!(vendor_of(&Identity { information, ..Identity::default() }), Some(Vendor::Espressif));
        let information = vec!["Model: A7670E-FASE".to_owned()];
        assert_eq!(vendor_of(&Identity { information, ..Identity::default() }), Some(Vendor::SimCom));
    }
}
