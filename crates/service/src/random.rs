//! Random numbers, from the operating system alone.

use getrandom::SysRng;
use keystile_domain::Timestamp;

use crate::ServiceError;

/// The generator that secrets are drawn from.
pub(crate) fn generator() -> SysRng {
    SysRng
}

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], ServiceError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// The salts of an event, from one call: each costs as much as the event's seal.
pub(crate) fn salts() -> Result<[[u8; 16]; 3], ServiceError> {
    let mut salts = [[0; 16]; 3];
    getrandom::fill(salts.as_flattened_mut())?;
    Ok(salts)
}

/// A new id of any kind.
pub(crate) fn id<T>(
    new: impl FnOnce(Timestamp, [u8; 10]) -> T,
    now: Timestamp,
) -> Result<T, ServiceError> {
    Ok(new(now, bytes()?))
}
