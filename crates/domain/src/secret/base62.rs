//! Base62, drawn and counted: the arithmetic of the default encoding, apart so that its two
//! claims, uniform characters and a checksum of fixed width, can be tested exactly.

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

/// How many characters carry at least `bytes` bytes of entropy.
pub(super) const fn characters(bytes: usize) -> usize {
    (bytes * 8 * LOG2_62_SCALE).div_ceil(LOG2_62_SCALED)
}

/// Appends `count` characters, each of the 62 equally likely.
pub(super) fn draw<R: TryCryptoRng + ?Sized>(
    text: &mut String,
    count: usize,
    rng: &mut R,
) -> Result<(), R::Error> {
    let mut bytes = Zeroizing::new([0; 64]);
    let mut missing = count;
    while missing > 0 {
        rng.try_fill_bytes(&mut *bytes)?;
        // The bytes beyond the last multiple of 62 would make the first digits likelier.
        for &byte in bytes.iter().filter(|byte| **byte < UNIFORM_BELOW).take(missing) {
            text.push(char::from(digit(byte)));
            missing -= 1;
        }
    }
    Ok(())
}

/// CRC-32 (IEEE) of `text` in base62, the most significant digit first, padded with `0`.
pub(super) fn checksum(text: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [0; CHECKSUM_LENGTH];
    for place in digits.iter_mut().rev() {
        let [low, ..] = (rest % 62).to_le_bytes();
        *place = digit(low);
        rest /= 62;
    }
    digits
}

/// The digit for `value` modulo 62, in the order `0-9A-Za-z`.
const fn digit(value: u8) -> u8 {
    match value % 62 {
        value @ 0..=9 => b'0' + value,
        value @ 10..=35 => b'A' + (value - 10),
        value => b'a' + (value - 36),
    }
}

/// 62⁶ is more than 2³², 62⁵ is not.
pub(super) const CHECKSUM_LENGTH: usize = 6;

const UNIFORM_BELOW: u8 = 248;

/// log₂ 62 = 5.954196310…, as a fraction.
const LOG2_62_SCALED: usize = 5_954_196_310;
const LOG2_62_SCALE: usize = 1_000_000_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use rand_core::TryRng;

    use super::*;

    /// Gives every byte in turn: a generator whose uniformity is exact.
    struct EveryByte(u8);

    impl TryRng for EveryByte {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            unreachable!("only bytes are drawn")
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            unreachable!("only bytes are drawn")
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    impl TryCryptoRng for EveryByte {}

    #[test]
    fn uniform_bytes_make_uniform_characters() {
        let mut text = String::new();
        draw(&mut text, 248, &mut EveryByte(0)).unwrap();
        let mut counts = BTreeMap::new();
        text.chars().for_each(|c| *counts.entry(c).or_insert(0) += 1);
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| *count == 4), "{counts:?}");
        assert!(counts.keys().all(char::is_ascii_alphanumeric));
    }

    #[test]
    fn as_many_characters_are_drawn_as_carry_the_entropy() {
        assert_eq!((characters(16), characters(32)), (22, 43));
        for bytes in 16..=64_u32 {
            let exact = (f64::from(bytes) * 8.0 / 62_f64.log2()).ceil();
            assert_eq!(characters(bytes.try_into().unwrap()).to_string(), exact.to_string());
        }
    }

    #[test]
    fn digits_are_in_the_order_of_ascii() {
        let digits: Vec<u8> = (0..62).map(digit).collect();
        assert!(digits.is_sorted_by(|a, b| a < b));
        assert_eq!((digits[0], digits[61]), (b'0', b'z'));
    }

    #[test]
    fn a_checksum_is_the_crc_in_base62() {
        // The check value of CRC-32 is that of "123456789": 0xCBF43926.
        let value = checksum("123456789").iter().fold(0_u32, |value, digit| {
            let place = (0..62).position(|n| super::digit(n) == *digit).unwrap();
            value * 62 + u32::try_from(place).unwrap()
        });
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(&checksum(""), b"000000");
    }
}
