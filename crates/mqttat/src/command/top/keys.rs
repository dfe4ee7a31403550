//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Input, State};

/// What a person wants of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Quit,
    Publish { topic: String, payload: String },
    Subscribe(String),
    Unsubscribe(String),
}

/// Takes a key; what follows from it for the module.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Option<Wish> {
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    if with_control && key.code == KeyCode::Char('c') {
        return Some(Wish::Quit);
    }
    let Some(input) = &mut state.input else { return choose(state, key.code) };
    match key.code {
        KeyCode::Esc => state.input = None,
        KeyCode::Enter => return confirm(state),
        KeyCode::Backspace => {
            input.text_mut().pop();
        }
        KeyCode::Char('u') if with_control => input.text_mut().clear(),
        KeyCode::Char(character) if !with_control => input.text_mut().push(character),
        _ => {}
    }
    None
}

fn choose(state: &mut State, code: KeyCode) -> Option<Wish> {
    match code {
        KeyCode::Char('q') | KeyCode::Esc => return Some(Wish::Quit),
        // Without a broker there is nothing to publish or subscribe to.
        _ if state.client.is_none() => {}
        KeyCode::Char('p') => state.input = Some(Input::Topic(state.last_topic.clone())),
        KeyCode::Char('s') => state.input = Some(Input::Subscribe(String::new())),
        KeyCode::Char('u') => {
            let last = state.client.as_ref().and_then(|client| client.filters.last().cloned());
            state.input = Some(Input::Unsubscribe(last.unwrap_or_default()));
        }
        _ => {}
    }
    None
}

fn confirm(state: &mut State) -> Option<Wish> {
    match state.input.take()? {
        Input::Topic(topic) if topic.is_empty() => None,
        Input::Topic(topic) => {
            state.last_topic.clone_from(&topic);
            state.input = Some(Input::Payload { topic, text: String::new() });
            None
        }
        Input::Payload { topic, text } => Some(Wish::Publish { topic, payload: text }),
        Input::Subscribe(filter) | Input::Unsubscribe(filter) if filter.is_empty() => None,
        Input::Subscribe(filter) => Some(Wish::Subscribe(filter)),
        Input::Unsubscribe(filter) => Some(Wish::Unsubscribe(filter)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw::tests::example;
    use super::*;

    fn type_in(state: &mut State, keys: &str) -> Option<Wish> {
        let code = |character| match character {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\x08' => KeyCode::Backspace,
            character => KeyCode::Char(character),
        };
        keys.chars().fold(None, |wish, key| press(state, KeyEvent::from(code(key))).or(wish))
    }

    #[test]
    fn publishing_asks_for_topic_and_payload() {
        let mut state = example();
        state.last_topic = String::new();
        let wish = type_in(&mut state, "pa/c\x08b\nhello q\n");
        assert_eq!(wish, Some(Wish::Publish { topic: "a/b".to_owned(), payload: "hello q".to_owned() }));
        // The topic is offered again.
        assert_eq!(
            type_in(&mut state, "p\nx\n"),
            Some(Wish::Publish { topic: "a/b".to_owned(), payload: "x".to_owned() })
        );
    }

    #[test]
    fn keys_have_their_meaning_only_while_nothing_is_typed() {
        let mut state = example();
        assert_eq!(type_in(&mut state, "ssq/#\n"), Some(Wish::Subscribe("sq/#".to_owned())));
        assert_eq!(type_in(&mut state, "s\x1b"), None);
        assert_eq!(type_in(&mut state, "s\n"), None);
        assert_eq!(type_in(&mut state, "q"), Some(Wish::Quit));
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        type_in(&mut state, "p");
        assert_eq!(press(&mut state, control_c), Some(Wish::Quit));
    }

    #[test]
    fn the_last_filter_is_offered_to_be_ended() {
        let mut state = example();
        assert_eq!(type_in(&mut state, "u\n"), Some(Wish::Unsubscribe("site/7/#".to_owned())));
    }

    #[test]
    fn without_a_client_nothing_is_published() {
        let mut state = example();
        state.client = None;
        assert_eq!((type_in(&mut state, "psu"), state.input), (None, None));
    }
}
