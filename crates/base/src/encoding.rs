//! Bytes as text: hexadecimal, base 32, base 64.

use std::sync::LazyLock;

use data_encoding::{BASE64, Encoding, HEXLOWER, Specification};

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Base 64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Lower-case base 32 in Crockford's alphabet, which has no look-alike letters (i, l, o, u). Without
/// padding: 5 bytes give 8 digits.
pub fn base32(bytes: &[u8]) -> String {
    CROCKFORD.encode(bytes)
}

#[expect(clippy::expect_used, reason = "the alphabet is a constant, and a test encodes with it")]
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    specification.encoding().expect("32 different symbols make an encoding")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_two_lower_case_digits_a_byte() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
        assert_eq!(hex(&[]), "");
    }

    /// RFC 4648, section 10.
    #[test]
    fn base64_matches_the_published_vectors() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in vectors {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn base32_matches_digits_computed_by_hand() {
        assert_eq!(base32(&[0, 0, 0, 0, 1]), "00000001");
        assert_eq!(base32(&[0xff; 5]), "zzzzzzzz");
        let sixteens = [0b1000_0100, 0b0010_0001, 0b0000_1000, 0b0100_0010, 0b0001_0000];
        assert_eq!(base32(&sixteens), "gggggggg");
    }
}
