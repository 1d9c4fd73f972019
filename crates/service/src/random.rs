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

/// A new id of any kind.
pub(crate) fn id<T>(
    new: impl FnOnce(Timestamp, [u8; 10]) -> T,
    now: Timestamp,
) -> Result<T, ServiceError> {
    Ok(new(now, bytes()?))
}
