//! Addresses of files beside a page.

use std::fmt::Write;

/// A path below the page as a relative URL: everything but plain characters is percent-encoded, and
/// `./` keeps a name with a colon from being taken for a scheme.
pub(super) fn percent_encoded(file: &str) -> String {
    let mut url = String::from("./");
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_become_relative_urls() {
        assert_eq!(percent_encoded("blues-1_0.9997.wav"), "./blues-1_0.9997.wav");
        assert_eq!(percent_encoded("javascript:x #?%"), "./javascript%3Ax%20%23%3F%25");
    }
}
