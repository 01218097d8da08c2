//! Texts as people type them: made one line, compared without accents or case, and repaired when
//! an encoding was applied twice.

/// The text on one line: line breaks, tabs and runs of blanks become one space, invisible
/// zero-width characters go, and both ends are trimmed.
pub fn one_line(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_zero_width(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the text holds a character no printed line may have: a control character, NUL first of
/// all (PostgreSQL refuses it), or one that turns the reading direction of what follows.
pub fn has_forbidden(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_direction(c))
}

/// The text as words of capitals `A–Z` and digits, one space between: what two spellings of the
/// same name have in common. `"Étrœungt-l’Église"` gives `"ETROEUNGT L EGLISE"`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_combining(*c)) {
        fold_char(c, &mut folded);
    }
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with `Ã©` turned back into `é`, when it is UTF-8 that was read as Latin-1 and written
/// as UTF-8 again; `None` when it is not.
pub fn unmangle(text: &str) -> Option<String> {
    if !text.contains(['Ã', 'Â', 'Å']) {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    String::from_utf8(bytes?).ok()
}

fn fold_char(c: char, folded: &mut String) {
    match c.to_uppercase().next().unwrap_or(c) {
        'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' => folded.push('A'),
        'Æ' => folded.push_str("AE"),
        'Ç' => folded.push('C'),
        'È' | 'É' | 'Ê' | 'Ë' => folded.push('E'),
        'Ì' | 'Í' | 'Î' | 'Ï' => folded.push('I'),
        'Ñ' => folded.push('N'),
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' => folded.push('O'),
        'Œ' => folded.push_str("OE"),
        'Ù' | 'Ú' | 'Û' | 'Ü' => folded.push('U'),
        'Ý' | 'Ÿ' => folded.push('Y'),
        letter if letter.is_ascii_alphanumeric() => folded.push(letter),
        _ => folded.push(' '),
    }
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_over_many_lines_becomes_one() {
        assert_eq!(
            one_line(" 4 rue\t du Lin\r\n\n 59000\u{a0}Lille\u{200b} "),
            "4 rue du Lin 59000 Lille"
        );
    }

    #[test]
    fn spellings_of_one_name_fold_to_the_same_words() {
        assert_eq!(fold("Étrœungt-l’Église"), "ETROEUNGT L EGLISE");
        assert_eq!(fold("E\u{301}TROEUNGT  l'eglise"), "ETROEUNGT L EGLISE");
        assert_eq!(fold("***"), "");
    }

    #[test]
    fn control_and_direction_characters_are_forbidden_accents_are_not() {
        assert!(has_forbidden("a\0b") && has_forbidden("a\u{202e}b") && has_forbidden("\u{85}"));
        assert!(!has_forbidden("Maison de l’Été — n° 4"));
    }

    #[test]
    fn a_doubly_encoded_text_is_repaired_and_a_sound_one_left_alone() {
        assert_eq!(unmangle("Trie-Ch\u{c3}\u{a2}teau").as_deref(), Some("Trie-Château"));
        assert_eq!(unmangle("Château"), None);
        assert_eq!(unmangle("Âge d’or"), None);
    }
}
