//! Passwords, keys and PINs.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A text that appears in no log, error, `Debug` output or transcript, and is wiped from memory when dropped.
///
/// ```
/// let password = mqtt_at::Secret::new("open sesame");
/// assert_eq!(format!("{password:?}"), "***");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for writing it to the module.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
