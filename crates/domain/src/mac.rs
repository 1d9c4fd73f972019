//! HMAC-SHA-256 (RFC 2104) under a key of 32 bytes: the pepper and the seal of the audit log are
//! two secrets, but one construction.

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The code with the key already absorbed, so that each use of a clone costs two blocks less; the
/// caller wipes its own copy of the key.
pub(crate) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC fills a short key up with zeros itself; doing it here leaves no error to handle.
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Hmac::new((&*block).into())
}

#[cfg(test)]
mod tests {
    use hmac::Mac;

    use super::*;

    #[test]
    fn padding_the_key_here_is_what_hmac_does_itself() {
        let key = [7; 32];
        let ours = keyed(&key).chain_update(b"text").finalize();
        let theirs = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(b"text").finalize();
        assert_eq!(ours.into_bytes(), theirs.into_bytes());
    }
}
