//! Which RSA keys are strong enough to be believed, judged by their public numbers alone.

use std::iter::successors;

/// Whether a modulus has 2048 to 8192 bits and was not made by the library with the ROCA flaw
/// (CVE-2017-15361), whose private keys can be computed.
///
/// Numbers are big-endian in as few bytes as possible (RFC 7518, section 6.3.1).
pub(super) fn is_sound_modulus(modulus: &[u8]) -> bool {
    let is_long = match modulus.first() {
        None | Some(0) => false,
        Some(first) => modulus.len() > MIN_BYTES || modulus.len() == MIN_BYTES && *first >= 0x80,
    };
    is_long && modulus.len() <= MAX_BYTES && !is_roca(modulus)
}

/// Whether an exponent is odd, more than 1, and of at most 32 bits.
pub(super) fn is_sound_exponent(exponent: &[u8]) -> bool {
    if exponent.len() > MAX_EXPONENT_BYTES || exponent.first() == Some(&0) {
        return false;
    }
    let exponent = exponent.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    exponent > 1 && exponent % 2 == 1
}

/// The flawed library made only moduli that are a power of 65537 modulo each small prime. Of sound
/// moduli, one in 2^27 is.
fn is_roca(modulus: &[u8]) -> bool {
    ROCA_PRIMES.into_iter().all(|prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let next = |power: &u32| Some(power * 65_537 % prime).filter(|power| *power != 1);
        successors(Some(1), next).any(|power| power == rest)
    })
}

const MIN_BYTES: usize = 2_048 / 8;
const MAX_BYTES: usize = 8_192 / 8;
const MAX_EXPONENT_BYTES: usize = 4;

/// Those small primes of which 65537 generates a small part of the residues.
const ROCA_PRIMES: [u32; 17] =
    [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modulus_has_2048_to_8192_bits() {
        let sized = |first: u8, bytes: usize| {
            let mut modulus = vec![0xff; bytes];
            modulus[0] = first;
            is_sound_modulus(&modulus)
        };
        assert!(sized(0x80, 256) && sized(0xff, 256) && sized(1, 257) && sized(0xff, 1_024));
        assert!(!sized(0x7f, 256), "2047 bits");
        assert!(!sized(0xff, 255) && !sized(0xff, 128));
        assert!(!sized(1, 1_025), "8193 bits");
        assert!(!sized(0, 257), "a byte too many");
        assert!(!is_sound_modulus(&[]));
    }

    #[test]
    fn an_exponent_is_odd_and_more_than_one() {
        for exponent in [&[3_u8][..], &[17], &[1, 0, 1], &[255, 255, 255, 255]] {
            assert!(is_sound_exponent(exponent), "{exponent:?}");
        }
        for exponent in
            [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[0, 3], &[0, 0, 1], &[1, 0, 0, 0, 1]]
        {
            assert!(!is_sound_exponent(exponent), "{exponent:?}");
        }
    }
}
