//! The memory that a hash is computed in: used again by the next hash, and wiped in between.
//!
//! Taken anew for each hash, it costs a page fault for every 4 KiB, and the C library keeps more of
//! what it gets back than is in use at any time.

use argon2::password_hash::Error;
use argon2::{Algorithm, Argon2, Block, Error as Failure, Params, Version};

use super::Password;

/// As much as the last hash took; nothing at the beginning.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Fills `output` with the raw hash of a password and a salt.
    ///
    /// # Errors
    ///
    /// If there is no memory for it, or the salt or the output is too short or too long.
    pub(super) fn hash(
        &mut self,
        password: &Password,
        salt: &[u8],
        params: &Params,
        output: &mut [u8],
    ) -> Result<(), Error> {
        self.fit(params.block_count())?;
        let argon2 = Argon2::new(ALGORITHM, VERSION, params.clone());
        let password = password.expose().as_bytes();
        let hashed = argon2.hash_password_into_with_memory(password, salt, output, &mut self.0);
        // Whoever could read the blocks could try passwords for less than their cost.
        self.0.fill(Block::new());
        Ok(hashed?)
    }

    fn fit(&mut self, blocks: usize) -> Result<(), Failure> {
        if self.0.len() != blocks {
            // Given back first, so that there are never both.
            self.0 = Vec::new();
            self.0.try_reserve_exact(blocks).or(Err(Failure::OutOfMemory))?;
            self.0.resize(blocks, Block::new());
        }
        Ok(())
    }
}

pub(super) const ALGORITHM: Algorithm = Algorithm::Argon2id;
pub(super) const VERSION: Version = Version::V0x13;

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(memory: &mut Memory, kib: u32) -> [u8; 32] {
        let mut output = [0; 32];
        let params = Params::new(kib, 2, 1, None).unwrap();
        let password = "correct horse".parse().unwrap();
        memory.hash(&password, &[7; 16], &params, &mut output).unwrap();
        output
    }

    #[test]
    fn a_hash_is_the_same_in_new_memory_and_in_used_memory() {
        let params = Params::new(64, 2, 1, None).unwrap();
        let mut expected = [0; 32];
        let argon2 = Argon2::new(ALGORITHM, VERSION, params);
        argon2.hash_password_into(b"correct horse", &[7; 16], &mut expected).unwrap();
        let mut memory = Memory::default();
        for kib in [64, 64, 128, 64] {
            assert_eq!(hash(&mut memory, kib) == expected, kib == 64);
        }
    }

    #[test]
    fn nothing_of_a_hash_is_left_in_the_memory() {
        let mut memory = Memory::default();
        hash(&mut memory, 64);
        assert_eq!(memory.0.len(), 64);
        let mut words = memory.0.iter().flat_map(|block| block.as_ref());
        assert!(words.all(|word| *word == 0));
    }

    #[test]
    fn the_memory_is_as_large_as_the_last_hash_needed() {
        let mut memory = Memory::default();
        for kib in [64, 128, 64] {
            hash(&mut memory, kib);
            assert_eq!(memory.0.capacity(), usize::try_from(kib).unwrap());
        }
    }
}
