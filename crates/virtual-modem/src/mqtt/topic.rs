//! Topic names and topic filters [MQTT 3.1.1 §4.7].

/// Whether `filter` selects `topic`.
pub(crate) fn matches(filter: &[u8], topic: &[u8]) -> bool {
    // Wildcards at the first level do not select topics that begin with `$` [MQTT 3.1.1 §4.7.2].
    if topic.first() == Some(&b'$') && matches!(filter.first(), Some(b'#' | b'+')) {
        return false;
    }
    let mut filters = filter.split(|&byte| byte == b'/');
    let mut topics = topic.split(|&byte| byte == b'/');
    loop {
        match (filters.next(), topics.next()) {
            (Some(b"#"), _) | (None, None) => return true,
            (Some(b"+"), Some(_)) => {}
            (Some(level), Some(name)) if level == name => {}
            _ => return false,
        }
    }
}

/// Whether a message may be published to this topic.
pub(crate) fn is_name(topic: &[u8]) -> bool {
    !topic.is_empty() && !topic.iter().any(|byte| matches!(byte, b'+' | b'#' | 0))
}

/// Whether this is a well-formed filter.
pub(crate) fn is_filter(filter: &[u8]) -> bool {
    let levels: Vec<&[u8]> = filter.split(|&byte| byte == b'/').collect();
    let last = levels.len().saturating_sub(1);
    !filter.is_empty()
        && !filter.contains(&0)
        && levels.iter().enumerate().all(|(at, level)| match *level {
            b"+" => true,
            b"#" => at == last,
            name => !name.iter().any(|byte| matches!(byte, b'+' | b'#')),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_the_standard() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/uptime", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
        ] {
            assert_eq!(matches(filter.as_bytes(), topic.as_bytes()), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn well_formed() {
        for good in ["#", "+", "a/+/b", "a/#", "/", "$share"] {
            assert!(is_filter(good.as_bytes()), "{good}");
        }
        for bad in ["", "a#", "a/#/b", "a+", "+a", "a\0"] {
            assert!(!is_filter(bad.as_bytes()), "{bad}");
        }
        assert!(is_name(b"a b/$"));
        assert!(!is_name(b"a/+"));
        assert!(!is_name(b""));
    }
}
