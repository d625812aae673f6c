//! Vorbis packets, as far as their lengths go (Vorbis I specification, sections 4.2 and 4.3).

/// Sizes of the blocks that a stream's packets may hold.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    sizes: [u64; 2],
    /// Whether a mode has long blocks.
    modes: Vec<bool>,
}

impl Blocks {
    /// From the first and the third header packet; `None` if they make no sense.
    pub(super) fn new(identification: &[u8], setup: &[u8]) -> Option<Self> {
        let exponents = *identification.get(28)?;
        let sizes = [exponents & 15, exponents >> 4].map(|exponent| 1 << exponent);
        Some(Self { sizes, modes: modes(setup)? })
    }

    /// Size of a packet's block; `None` if it holds no sound.
    pub(super) fn of(&self, packet: &[u8]) -> Option<u64> {
        let first = *packet.first()?;
        if first & 1 == 1 {
            return None;
        }
        let bits = usize::BITS - (self.modes.len() - 1).leading_zeros();
        let mode = usize::from(first >> 1) & ((1 << bits) - 1);
        self.modes.get(mode).map(|long| self.sizes[usize::from(*long)])
    }
}

/// The modes stand at the end of the setup header, behind parts whose length only a decoder
/// learns. They are therefore read backwards: a flag of one bit, then the modes, the last first,
/// each of 41 bits of which 32 are zero, then their number.
fn modes(setup: &[u8]) -> Option<Vec<bool>> {
    const MODE_BITS: usize = 41;
    const MOST: usize = 64;
    let bit = |at: usize| setup[at / 8] >> (at % 8) & 1;
    let value = |at: usize, count: usize| {
        (0..count).fold(0_u64, |value, place| value | u64::from(bit(at + place)) << place)
    };
    let end = (0..8 * setup.len()).rev().find(|&at| bit(at) == 1)?;
    let mut backwards = Vec::new();
    let mut found = None;
    while backwards.len() < MOST {
        let Some(at) = end.checked_sub((backwards.len() + 1) * MODE_BITS) else { break };
        let (zeros, mapping) = (value(at + 1, 32), value(at + 33, 8));
        if zeros != 0 || mapping >= MOST as u64 || at < 6 {
            break;
        }
        backwards.push(bit(at) == 1);
        if value(at - 6, 6) + 1 == backwards.len() as u64 {
            found = Some(backwards.len());
        }
    }
    backwards.truncate(found?);
    backwards.reverse();
    Some(backwards)
}
