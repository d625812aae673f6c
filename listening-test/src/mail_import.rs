//! Answers in the text of a mail, as `page/mail.js` writes them and mail programs change them.
//!
//! JSON, packed as gzip (whose checksum and length tell a damaged copy), in base 64 for
//! addresses (RFC 4648, section 5, without padding), in lines between two marks. Mails wrap
//! and quote lines: white space and `>` inside mean nothing.

use std::io::Read;

const BEGIN: &str = "BEGIN TROMPE ANSWERS";
const END: &str = "END TROMPE ANSWERS";

/// Longest answers that are unpacked, in bytes: a study's are thousands of times smaller.
const LONGEST: u64 = 16 << 20;

/// The answers between each pair of marks in `text`, as JSON.
///
/// # Errors
/// What is wrong, in words: an end missing, damage.
pub(crate) fn letters(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let opened = &rest[start + BEGIN.len()..];
        let number = found.len() + 1;
        let Some(end) = opened.find(END).filter(|&end| !opened[..end].contains(BEGIN)) else {
            return Err(format!("text {number} has no end: it was not copied whole"));
        };
        found.push(unpack(body(&opened[..end])).map_err(|what| format!("text {number}: {what}"))?);
        rest = &opened[end + END.len()..];
    }
    Ok(found)
}

/// What stands between the dashes of both marks.
fn body(between: &str) -> &str {
    let start = between.find(char::is_whitespace).unwrap_or(between.len());
    let end = between.rfind(char::is_whitespace).unwrap_or(start);
    between.get(start..end).unwrap_or_default()
}

/// The JSON that these digits hold.
///
/// # Errors
/// That they are damaged, in words.
pub(crate) fn unpack(text: &str) -> Result<Vec<u8>, String> {
    let damaged = "it is damaged: ask for it again, or for the file";
    let packed = decode(text).ok_or(damaged)?;
    let mut json = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice()).take(LONGEST + 1);
    reader.read_to_end(&mut json).map_err(|_| damaged)?;
    if json.len() as u64 > LONGEST {
        return Err("it is longer than any answers".into());
    }
    Ok(json)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits) = (0u32, 0);
    for digit in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'>') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        word = (word << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `{"study":"small"}` by Python's `gzip` and `urlsafe_b64encode`.
    const LETTER: &str = "-----BEGIN TROMPE ANSWERS-----
H4sIAAAAAAACA6tWKi4pTalUslIqzk3MyVGqBQDMSCtaEQAAAA
-----END TROMPE ANSWERS-----";

    #[test]
    fn a_letter_survives_quoting_wrapping_and_company() {
        let wanted = b"{\"study\":\"small\"}".to_vec();
        assert_eq!(letters(LETTER).unwrap(), std::slice::from_ref(&wanted));
        let quoted = LETTER.replace('\n', "\r\n> > ").replace("slIq", "sl \r\n>> Iq");
        let mail = format!("Dear lab,\n> {quoted}\nBye\n{LETTER}\n-- \nme");
        assert_eq!(letters(&mail).unwrap(), [wanted.clone(), wanted]);
    }

    #[test]
    fn damage_is_told() {
        assert!(letters("Dear lab").unwrap().is_empty());
        let cut = LETTER.split("-----END").next().unwrap();
        assert!(letters(cut).unwrap_err().contains("no end"));
        assert!(letters(&format!("{cut}\n{LETTER}")).unwrap_err().contains("no end"));
        for (from, to) in [("slIq", "slIA"), ("slIq", ""), ("slIq", "s=Iq"), ("Ki4p", "")] {
            let error = letters(&LETTER.replace(from, to)).unwrap_err();
            assert!(error.contains("text 1") && error.contains("damaged"), "{error}");
        }
        assert!(letters("BEGIN TROMPE ANSWERS END TROMPE ANSWERS").is_err());
    }
}
