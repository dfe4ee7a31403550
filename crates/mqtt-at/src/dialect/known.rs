//! Commands by name: what each is for, what it takes, and where its result is told.

use super::{esp, fibocom, neoway, quectel, simcom};
use crate::vendor::Vendor;

/// A command, as tools know it that complete, explain or read what is said to a module.
///
/// ```
/// use mqtt_at::Vendor;
/// use mqtt_at::offline::KnownCommand;
///
/// let publish = KnownCommand::of(Vendor::Quectel).find(|command| command.name == "+QMTPUBEX").unwrap();
/// assert_eq!(publish.purpose, "publish");
/// assert!(publish.parameters.starts_with("<client_idx>,<msgid>"));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KnownCommand {
    /// What stands behind `AT`: `+QMTOPEN`, and for a setting with its key `+QMTCFG="ssl"`.
    pub name: &'static str,
    /// What stands behind the name when it is written, in the vendor's names; empty if nothing does.
    pub parameters: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    /// Whether it asks for data with a prompt, at least in one of its forms.
    pub asks: bool,
    /// The names that its result may have when it comes behind the `OK`; none if the final result is all.
    pub(crate) results: &'static [&'static str],
    /// Whether it ends something, so that a refusal may only say that there was nothing to end.
    pub(crate) ends: bool,
    /// Whether it sets something that modules differ in, so that a refusal is no failure by itself.
    pub(crate) sets: bool,
}

impl KnownCommand {
    /// The commands of a vendor's modules, those that all modules have last. A setting without its key stands before
    /// those with one.
    pub fn of(vendor: Vendor) -> impl Iterator<Item = &'static Self> {
        let own = match vendor {
            Vendor::Quectel => quectel::known::COMMANDS,
            Vendor::SimCom => simcom::known::COMMANDS,
            Vendor::Fibocom => fibocom::known::COMMANDS,
            Vendor::Neoway => neoway::known::COMMANDS,
            Vendor::Espressif => esp::known::COMMANDS,
        };
        let cellular = if vendor == Vendor::Espressif { &[] } else { CELLULAR };
        own.iter().chain(cellular).chain(COMMON)
    }

    /// The command with a name and, where settings have one, this key in its quotation marks.
    pub(crate) fn find(vendor: Vendor, name: &str, key: Option<&str>) -> Option<&'static Self> {
        let is_named = |known: &&Self| known.name_and_key().0 == name;
        let has_key = |known: &&Self| match (known.name_and_key().1, key) {
            (Some(known), Some(key)) => known.eq_ignore_ascii_case(key),
            _ => false,
        };
        let keyed = Self::of(vendor).filter(is_named).find(has_key);
        keyed.or_else(|| Self::of(vendor).find(|known| known.name == name))
    }

    /// Whose command a name is, if it is one vendor's alone.
    pub(crate) fn vendor_of(name: &str) -> Option<Vendor> {
        let has = |vendor: &&Vendor| Self::of(**vendor).any(|known| known.name_and_key().0 == name);
        let mut vendors = Vendor::ALL.iter().filter(has);
        vendors.next().filter(|_| vendors.next().is_none()).copied()
    }

    fn name_and_key(&self) -> (&'static str, Option<&'static str>) {
        self.name.split_once('=').map_or((self.name, None), |(name, key)| (name, Some(key)))
    }

    pub(crate) const fn that_ends(self) -> Self {
        Self { ends: true, ..self }
    }

    pub(crate) const fn that_asks(self) -> Self {
        Self { asks: true, ..self }
    }

    /// A result comes behind the `OK`, under one of these names.
    pub(crate) const fn told_by(self, results: &'static [&'static str]) -> Self {
        Self { results, ..self }
    }
}

/// A command that its final result ends.
pub(crate) const fn known(
    name: &'static str,
    parameters: &'static str,
    purpose: &'static str,
) -> KnownCommand {
    KnownCommand { name, parameters, purpose, asks: false, results: &[], ends: false, sets: false }
}

/// A command that sets something which not all firmware has.
pub(crate) const fn setting(
    name: &'static str,
    parameters: &'static str,
    purpose: &'static str,
) -> KnownCommand {
    KnownCommand { sets: true, ..known(name, parameters, purpose) }
}

/// Commands of V.250 that every module has.
const COMMON: &[KnownCommand] = &[
    known("", "", "is anybody there?"),
    known("I", "", "who the module is, in its own form"),
    known("E0", "", "switch the echo off"),
    known("+CMEE", "<n>", "whether refusals tell their reason: 1 by number, 2 in words"),
    known("+CGMI", "", "the maker"),
    known("+CGMM", "", "the model"),
    known("+CGMR", "", "the version of the firmware"),
    known("+GMR", "", "the version of the firmware, as it is asked in V.250"),
    known("+IPR", "<rate>", "the speed of the port"),
    known("+IFC", "<by_host>,<by_module>", "flow control of the port: 0 none, 2 RTS/CTS"),
];

/// Commands of 3GPP TS 27.007, for modules with a SIM.
const CELLULAR: &[KnownCommand] = &[
    known("+CGSN", "", "the serial number (IMEI)"),
    known("+CPIN", "<pin>", "what the SIM waits for"),
    known("+CIMI", "", "the subscriber's number (IMSI)"),
    known("+CCID", "", "the SIM's number, where it is called so"),
    known("+CSQ", "", "how well the radio receives: 0 to 31, 99 unknown"),
    known("+CREG", "<n>", "registration for calls and messages"),
    known("+CGREG", "<n>", "registration for data in GSM and UMTS"),
    known("+CEREG", "<n>", "registration in LTE and NB-IoT"),
    known("+COPS", "<mode>[,<format>[,<oper>]]", "the operator; =? searches for minutes"),
    known("+CGATT", "<state>", "whether it is attached to the data service"),
    known("+CGDCONT", "<cid>,<type>,<apn>", "the access point of a data connection"),
    known("+CGACT", "<state>,<cid>", "switch a data connection on or off"),
    known("+CGPADDR", "<cid>", "the address of a data connection"),
    known("+CGAUTH", "<cid>,<protocol>,<user>,<password>", "credentials for the access point"),
    known("+CCLK", "<time>", "the clock"),
    known("+CSCS", "<charset>", "the character set"),
    known("+CFUN", "<fun>[,<rst>]", "switch the radio; 1,1 restarts the module"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const COVERAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/COVERAGE.md");

    /// The commands of the manuals, with the key of those that have one: rows whose second part is the name of the
    /// typed command that serves them.
    fn covered() -> Vec<(Vendor, String)> {
        let text = std::fs::read_to_string(COVERAGE).unwrap();
        let rows = text.lines().filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let (row, _, item) = (cells.next()?, cells.next()?, cells.next()?);
            let mut parts = row.split('-');
            let (vendor, name, key) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
            let vendor = match vendor {
                "Q" => Vendor::Quectel,
                "S" => Vendor::SimCom,
                "F" => Vendor::Fibocom,
                "N" => Vendor::Neoway,
                _ => return None,
            };
            let item = item.trim_matches('`').trim_start_matches("mqtt_at::");
            let (module, typed) = item.split_once("::")?;
            let is_vendors = ["quectel", "simcom", "fibocom", "neoway"].contains(&module);
            let typed = Some(typed).filter(|_| is_vendors)?.to_ascii_uppercase();
            let typed = typed.split(|c: char| !c.is_ascii_alphanumeric()).next()?.to_owned();
            let keyed =
                ["QMTCFG", "QSSLCFG", "CSSLCFG"].contains(&name) && !["test", "write", "read"].contains(&key);
            // The numbers in its reports have a type of the same name as their row.
            let is_command = typed == name && name != "STATUS";
            is_command.then(|| {
                let key = if keyed { format!("=\"{key}\"") } else { String::new() };
                (vendor, format!("+{name}{key}"))
            })
        });
        rows.collect()
    }

    #[test]
    fn every_command_of_the_manuals_is_known() {
        let covered = covered();
        for (vendor, least) in
            [(Vendor::Quectel, 30), (Vendor::SimCom, 15), (Vendor::Fibocom, 9), (Vendor::Neoway, 12)]
        {
            let names: Vec<_> =
                covered.iter().filter(|(of, _)| *of == vendor).map(|(_, name)| name).collect();
            assert!(names.len() >= least, "{vendor}: {names:?}");
            for name in names {
                assert!(
                    KnownCommand::of(vendor).any(|known| known.name.starts_with(name)),
                    "{vendor} has no {name}"
                );
            }
        }
    }

    #[test]
    fn each_stands_once_and_has_a_purpose_of_one_line() {
        for vendor in Vendor::ALL {
            let mut names: Vec<_> = KnownCommand::of(*vendor).map(|known| known.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{vendor}");
            for known in KnownCommand::of(*vendor) {
                assert!(!known.purpose.is_empty() && known.purpose.len() <= 72, "{known:?}");
                assert!(!known.purpose.contains('\n'), "{known:?}");
                // What a test of the manual's names looks for stands behind a name without its key, too.
                let (name, key) = known.name_and_key();
                assert!(key.is_none() || KnownCommand::of(*vendor).any(|it| it.name == name), "{known:?}");
            }
        }
    }

    #[test]
    fn settings_are_found_by_their_key_and_without_it() {
        let purpose = |key| KnownCommand::find(Vendor::Quectel, "+QMTCFG", key).unwrap().purpose;
        assert_eq!(purpose(Some("\"Keepalive\"")), "the keep-alive time");
        assert_eq!(purpose(Some("\"new\"")), purpose(None));
        assert!(KnownCommand::find(Vendor::Quectel, "+CMQTTPUB", None).is_none());
    }
}
