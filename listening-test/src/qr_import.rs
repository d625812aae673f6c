//! Answers as QR codes: what `page/codes.js` shows, as a phone's scanner hands it on.
//!
//! One participation comes in parts, `TROMPE ANSWERS 1/3 9f00b2c4 DIGITS.`: number and count, the
//! checksum that all parts share, and digits as in a mail ([`crate::mail_import`]). A text may hold
//! the parts of several people in any order, some of them twice, wrapped or quoted.

use std::collections::BTreeMap;

use crate::mail_import::unpack;

const MARK: &str = "TROMPE ANSWERS ";

/// One scanned code.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    number: usize,
    count: usize,
    sum: String,
    digits: String,
}

/// The answers in all codes of `text`, as JSON, in the order of their checksums.
///
/// # Errors
/// What is wrong, in words: a code cut short, one missing, codes that contradict each other,
/// damage.
pub(crate) fn codes(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut found: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for (start, _) in text.match_indices(MARK) {
        let part = read(&text[start + MARK.len()..])?;
        found.entry(part.sum.clone()).or_default().push(part);
    }
    found.into_values().map(|parts| join(&parts)).collect()
}

/// The code at the beginning of `text`.
fn read(text: &str) -> Result<Part, String> {
    let whole = text.split_once('.').filter(|(part, _)| !part.contains(MARK));
    let (part, _) = whole.ok_or("a code has no end: it was not copied whole")?;
    let mut words = part.split_whitespace().filter(|word| word.bytes().any(|byte| byte != b'>'));
    let place = words.next().and_then(|word| word.split_once('/'));
    let place = place.and_then(|(number, count)| Some((number.parse().ok()?, count.parse().ok()?)));
    match (place, words.next()) {
        (Some((number, count)), Some(sum)) if (1..=count).contains(&number) => {
            Ok(Part { number, count, sum: sum.into(), digits: words.collect() })
        }
        _ => Err(format!("a code is damaged at {:?}", part.chars().take(20).collect::<String>())),
    }
}

/// The answers of the parts with one checksum.
fn join(parts: &[Part]) -> Result<Vec<u8>, String> {
    let (count, sum) = (parts[0].count, &parts[0].sum);
    let mut digits = String::new();
    for number in 1..=count {
        let mut same = parts.iter().filter(|part| part.number == number);
        let first = same.next().ok_or_else(|| {
            format!("code {number} of {count} of the answers {sum} is missing: scan it too")
        })?;
        if same.any(|other| other != first) || first.count != count {
            return Err(format!("code {number} of the answers {sum} was read in two ways"));
        }
        digits += &first.digits;
    }
    unpack(&digits).map_err(|what| format!("codes of the answers {sum}: {what}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// `{"study":"small"}` by Python's `gzip` and `urlsafe_b64encode`, in three parts.
    const CODES: [&str; 3] = [
        "TROMPE ANSWERS 1/3 cc482b5a H4sIAAAAAAACA6tWKi4.",
        "TROMPE ANSWERS 2/3 cc482b5a pTalUslIqzk3MyVGqB.",
        "TROMPE ANSWERS 3/3 cc482b5a QDMSCtaEQAAAA.",
    ];

    #[test]
    fn codes_come_in_any_order_doubled_and_quoted() {
        let [one, two, three] = CODES;
        let wanted = vec![b"{\"study\":\"small\"}".to_vec()];
        assert_eq!(codes(&format!("{three}\n{one}\n{two}\n{one}")).unwrap(), wanted);
        let quoted = format!(
            "> {one}\n> > {}\n{three} Bye.",
            two.replace("cc482b5a pT", "cc482b5a\n> pT\n>")
        );
        assert_eq!(codes(&quoted).unwrap(), wanted);
        assert!(codes("-----BEGIN TROMPE ANSWERS-----\nx\n").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_with_codes_is_told() {
        let [one, two, three] = CODES;
        let refused = |text: String, word: &str| {
            let error = codes(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        refused(format!("{one}{three}"), "code 2 of 3 of the answers cc482b5a is missing");
        refused(format!("{one}{two}{three}").replace("3/3", "4/3"), "damaged at");
        refused(format!("{one}{two}{three}").replace("pTal", "pTbl"), "cc482b5a: it is damaged");
        refused(format!("{one}{two}{three}{}", two.replace('q', "r")), "in two ways");
        refused(format!("{one}{two}{}", three.trim_end_matches('.')), "no end");
        refused(format!("{}{two}{three}", one.trim_end_matches('.')), "no end");
        refused(format!("{one}{two}{}", three.replace("3/3", "3/4")), "in two ways");
    }
}
