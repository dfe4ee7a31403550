//! A typed command line, taken apart as the module will.

/// One of the commands of a line, which semicolons separate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    text: &'a str,
    name: String,
    form: Form,
}

/// The form of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Execute,
    Read,
    Test,
    Write,
}

/// The commands of a line, with or without `AT` in front.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let text = text.trim_matches(' ');
    let has_prefix = text.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("AT"));
    let body = if has_prefix { text.get(2..).unwrap_or_default() } else { text };
    split(body, ';').into_iter().map(Part::new).collect()
}

impl<'a> Part<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.trim_matches(' ');
        let name =
            text.split(['=', '?']).next().unwrap_or_default().trim_end_matches(' ').to_ascii_uppercase();
        let form = match text.split_once('=') {
            Some((_, "?")) => Form::Test,
            Some(_) => Form::Write,
            None if text.ends_with('?') => Form::Read,
            None => Form::Execute,
        };
        Self { text, name, form }
    }

    /// What stands before `=` or `?`, in capitals.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Whether it is one of V.250's commands of a letter, which need no semicolon between them.
    pub(super) fn is_basic(&self) -> bool {
        self.name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '&')
    }

    /// What commas separate behind the equals sign.
    pub(super) fn arguments(&self) -> Vec<&'a str> {
        self.text.split_once('=').map_or(Vec::new(), |(_, arguments)| split(arguments, ','))
    }

    /// The first argument, without quotation marks, in small letters: the key of a configuration command.
    pub(super) fn key(&self) -> String {
        self.arguments()
            .first()
            .map(|key| key.trim_matches(['"', ' ']).to_ascii_lowercase())
            .unwrap_or_default()
    }
}

/// Splits at a separator outside of quotation marks.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line = parts(" at+csq;+QMTCONN=0,\"a;b\",\"c,d\" ;+cops=?;+cops? ");
        let names: Vec<_> = line.iter().map(|part| (part.name(), part.form())).collect();
        let expected = [
            ("+CSQ", Form::Execute),
            ("+QMTCONN", Form::Write),
            ("+COPS", Form::Test),
            ("+COPS", Form::Read),
        ];
        assert_eq!(names, expected);
        assert_eq!(line[1].arguments(), ["0", "\"a;b\"", "\"c,d\""]);
        assert_eq!(parts("AT+QMTCFG=\"Recv/Mode\",0")[0].key(), "recv/mode");
        assert!(parts("ATE0")[0].is_basic() && parts("AT&F")[0].is_basic() && !parts("+CSQ")[0].is_basic());
        assert_eq!(parts("AT").len(), 1);
    }

    #[test]
    fn text_that_is_not_ascii_is_no_trouble() {
        assert_eq!(parts("é+X=ü,\"ß\"")[0].arguments(), ["ü", "\"ß\""]);
        assert_eq!(parts("\"")[0].name(), "\"");
    }
}
