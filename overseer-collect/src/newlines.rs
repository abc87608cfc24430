//! Line ends of all systems made one, so that line numbers in errors are an editor's.

use std::io::{self, Read};

/// Passes on what it reads with `\r\n` and `\r` as `\n`, and a last line ended.
#[derive(Debug)]
pub(crate) struct Newlines<R> {
    inner: R,
    after_return: bool,
    last: u8,
}

impl<R: Read> Newlines<R> {
    pub(crate) fn new(inner: R) -> Self {
        // Nothing read needs no line end.
        Self { inner, after_return: false, last: b'\n' }
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match self.inner.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if read == 0 {
                let unended = std::mem::replace(&mut self.last, b'\n') != b'\n';
                if unended {
                    buffer[0] = b'\n';
                }
                return Ok(usize::from(unended));
            }
            let mut kept = 0;
            for i in 0..read {
                let byte = buffer[i];
                let second_half = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if !second_half {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            if kept > 0 {
                self.last = buffer[kept - 1];
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    fn all(mut reader: impl Read) -> String {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn every_line_ends_the_same() {
        assert_eq!(all(Newlines::new(&b"a\r\nb\rc\n\r\n\rd"[..])), "a\nb\nc\n\n\nd\n");
        assert_eq!(all(Newlines::new(&b""[..])), "");
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[a\r\n]{0,20}") {
            let mut expected = text.replace("\r\n", "\n").replace('\r', "\n");
            if !expected.is_empty() && !expected.ends_with('\n') {
                expected.push('\n');
            }
            prop_assert_eq!(&all(Newlines::new(text.as_bytes())), &expected);
            prop_assert_eq!(&all(Newlines::new(Slowly(text.as_bytes()))), &expected);
        }
    }
}
