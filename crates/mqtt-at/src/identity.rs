//! Who the module is.

use std::fmt;

use crate::common::{Imei, ModuleInformation};
use crate::detect;
use crate::vendor::Vendor;

/// Who the module is, as far as it says.
///
/// [`Modem`](crate::Modem) has an example.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Identity {
    /// Its maker, in the module's words.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The version of its firmware.
    pub revision: Option<String>,
    /// Its serial number.
    pub imei: Option<Imei>,
    /// What it says about itself besides, where the rest does not tell the vendor.
    pub(crate) information: Vec<String>,
}

impl Identity {
    /// Whether this is the same module, as far as both descriptions go. The firmware may have been updated.
    pub(crate) fn is_same_module(&self, other: &Self) -> bool {
        /// Whether two values agree; what a module did not tell contradicts nothing.
        fn agree<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        match (&self.imei, &other.imei) {
            (Some(imei), Some(other)) => imei == other,
            _ => agree(&self.model, &other.model) && agree(&self.manufacturer, &other.manufacturer),
        }
    }
}

/// Manufacturer, model and firmware; not the serial number, so that it can be shown to others.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [&self.manufacturer, &self.model, &self.revision].into_iter().flatten();
        let known: Vec<_> = known.map(String::as_str).collect();
        f.write_str(if known.is_empty() { "an unknown module" } else { "" })?;
        f.write_str(&known.join(" "))
    }
}

impl Identity {
    /// Whose dialect the module speaks, by what it says of itself; `None` for a stranger.
    pub fn vendor(&self) -> Option<Vendor> {
        detect::vendor_of(self)
    }

    /// Fills gaps with what the module says about itself in its own form.
    pub(crate) fn add(&mut self, information: Option<ModuleInformation>) {
        let Some(information) = information else { return };
        let fill = |gap: &mut Option<String>, found: Option<&str>| {
            *gap = gap.take().or_else(|| found.map(str::to_owned));
        };
        fill(&mut self.manufacturer, information.manufacturer());
        fill(&mut self.model, information.model());
        fill(&mut self.revision, information.revision());
        self.information = information.lines().to_vec();
    }

    /// Adds what a module says of its versions, the first of which is that of its firmware.
    pub(crate) fn add_versions(&mut self, versions: Option<ModuleInformation>) {
        let Some(versions) = versions else { return };
        self.revision = self.revision.take().or_else(|| versions.lines().first().cloned());
        self.information.extend_from_slice(versions.lines());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by simulation: a module that had refused one question when it was opened was another one ever after.
    #[test]
    fn what_was_not_told_makes_no_other_module() {
        let told = |manufacturer: Option<&str>, model: Option<&str>| Identity {
            manufacturer: manufacturer.map(str::to_owned),
            model: model.map(str::to_owned),
            ..Identity::default()
        };
        let known = told(Some("Fibocom"), Some("L610"));
        assert!(
            known.is_same_module(&told(None, Some("L610")))
                && told(None, Some("L610")).is_same_module(&known)
        );
        assert!(known.is_same_module(&Identity::default()));
        assert!(!known.is_same_module(&told(None, Some("NL668"))));
        assert!(!known.is_same_module(&told(Some("Quectel"), None)));
    }
}
