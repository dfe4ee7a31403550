//! Topic names and topic filters.

use std::fmt;

use crate::error::InputError;

/// A topic that messages are published to: 1 to 65 535 bytes of UTF-8 without wildcards [MQTT 3.1.1 §4.7].
///
/// Modules take fewer bytes; the limit of the module is checked when the message is sent.
///
/// ```
/// use mqtt_at::TopicName;
///
/// assert_eq!(TopicName::new("site/7/up")?.as_str(), "site/7/up");
/// assert!(TopicName::new("site/+/up").is_err() && TopicName::new("").is_err());
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(String);

/// A pattern that subscriptions are made with: levels, `+` for any one of them, `#` for all that follow [MQTT 3.1.1 §4.7].
///
/// ```
/// use mqtt_at::TopicFilter;
///
/// let filter = TopicFilter::new("site/+/up/#")?;
/// assert!(filter.matches("site/7/up") && filter.matches("site/7/up/log"));
/// assert!(!filter.matches("site/7/down"));
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicFilter(String);

impl TopicName {
    /// Checks a topic name.
    ///
    /// # Errors
    ///
    /// It is empty, too long, or holds a wildcard or a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, InputError> {
        let text = text.into();
        check("the topic", &text)?;
        if text.contains(['+', '#']) {
            let problem = "holds a wildcard (+ or #): messages are published to topics without";
            return Err(InputError::Topic { field: "the topic", problem });
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TopicFilter {
    /// Checks a topic filter.
    ///
    /// # Errors
    ///
    /// It is empty, too long, holds a control character, or a wildcard that is not a level of its own.
    pub fn new(text: impl Into<String>) -> Result<Self, InputError> {
        const FIELD: &str = "the topic filter";
        let text = text.into();
        check(FIELD, &text)?;
        let mut levels = text.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.len() > 1 && level.contains(['+', '#']) {
                let problem = "holds a wildcard that is not a whole level";
                return Err(InputError::Topic { field: FIELD, problem });
            }
            if level == "#" && levels.peek().is_some() {
                return Err(InputError::Topic { field: FIELD, problem: "holds # before its last level" });
            }
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether messages of this topic match. Wildcards at the start do not match topics that begin with `$`; the marks
    /// of subscriptions that brokers share out (`$share/group/`, and EMQX's `$queue/` and `$exclusive/`) are no part of
    /// a topic.
    pub fn matches(&self, topic: &str) -> bool {
        let filter = match self.0.strip_prefix("$share/") {
            Some(shared) => shared.split_once('/').map_or("", |(_, filter)| filter),
            None => ["$queue/", "$exclusive/"]
                .iter()
                .find_map(|mark| self.0.strip_prefix(mark))
                .unwrap_or(&self.0),
        };
        if topic.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let mut topics = topic.split('/');
        for level in filter.split('/') {
            match (level, topics.next()) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (level, Some(topic)) if level == topic => {}
                _ => return false,
            }
        }
        topics.next().is_none()
    }
}

fn check(field: &'static str, text: &str) -> Result<(), InputError> {
    let problem = match text.len() {
        0 => "is empty",
        65_536.. => "is longer than 65535 bytes",
        _ if text.chars().any(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    Err(InputError::Topic { field, problem })
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_mqtt_says() {
        let matches = |filter: &str, topic| TopicFilter::new(filter).unwrap().matches(topic);
        assert!(matches("a/b", "a/b") && !matches("a/b", "a/b/c") && !matches("a/b", "a"));
        assert!(
            matches("a/+", "a/b") && matches("a/+", "a/") && !matches("a/+", "a") && !matches("a/+", "a/b/c")
        );
        assert!(
            matches("a/#", "a") && matches("a/#", "a/") && matches("a/#", "a/b/c") && !matches("a/#", "b")
        );
        assert!(matches("#", "a/b") && !matches("#", "$SYS/x") && !matches("+/x", "$SYS/x"));
        assert!(matches("$SYS/#", "$SYS/x") && matches("/", "/") && matches("+/+", "/"));
        assert!(matches("$share/group/a/#", "a/b") && !matches("$share/group/a/#", "b"));
        assert!(matches("$queue/a/+", "a/b") && matches("$exclusive/a", "a") && !matches("$queue/a", "b"));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        for bad in ["", "a+", "a/b#", "a/#/b", "#/a", "a\u{0}", "a\nb"] {
            assert!(TopicFilter::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a/+", "#", "a\r\nb", "a\u{7f}"] {
            assert!(TopicName::new(bad).is_err(), "{bad:?}");
        }
        assert!(TopicName::new("a".repeat(65_535)).is_ok() && TopicName::new("a".repeat(65_536)).is_err());
    }
}
