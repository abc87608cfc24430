//! Words and numbers in the bytes of the kernel's text files.

/// The lines that end in a newline.
///
/// The kernel ends every line; a last line without an end was cut off, and a cut-off counter is a wrong one.
pub(super) fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&b| b == b'\n').filter_map(|line| line.strip_suffix(b"\n"))
}

/// What stands between blanks.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A number of decimal digits and nothing else.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 20 {
        return None;
    }
    word.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A fraction such as `0.52`, finite.
pub(super) fn fraction(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok().filter(|x: &f64| x.is_finite())
}

/// A name as it may be shown: what is not UTF-8 or would move a terminal's cursor is replaced.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_that_was_cut_off_does_not_count() {
        assert_eq!(whole_lines(b"a 1\nb 2\nc 3").collect::<Vec<_>>(), [b"a 1", b"b 2"]);
        assert_eq!(whole_lines(b"").count(), 0);
    }

    proptest! {
        #[test]
        fn a_number_is_what_the_standard_library_says_it_is(
            text in prop_oneof!["[0-9]{0,22}", "[ +0-9a-f-]{0,5}", any::<u64>().prop_map(|n| n.to_string())],
        ) {
            let strict = text.bytes().all(|b| b.is_ascii_digit());
            let known = text.parse::<u64>().ok().filter(|_| strict && text.len() <= 20);
            prop_assert_eq!(number(text.as_bytes()), known);
        }
    }
}
