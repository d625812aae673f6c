//! FeatureSettings of the set, and its channels.
use super::front_end::{Filter, FrontEnd};
use super::rates::{RATES, reach_in_time};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
/// Number of channels.
pub const CHANNELS: usize = 96;

/// Channels in an octave.
pub const CHANNELS_PER_OCTAVE: usize = 24;

/// Values of a feature vector: the rates of channel 0, then of channel 1, and so on.
pub const DIMENSIONS: usize = CHANNELS * RATES.len();

/// Floor of the energies where a logarithm is taken. A sinusoid at full
/// modulation in an excerpt of unit variance has an energy around 1. Our choice.
pub const ENERGY_FLOOR: f64 = 1e-12;
/// What is measured of the envelope's part at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Mean square over time.
    Energy,
    /// Root of the mean square.
    Magnitude,
}

/// What the papers leave open. All defaults but the sample rate are our choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Modulations {
    /// Sample rate in hertz of the samples given: 8,000 ..= 192,000, and high enough that
    /// the highest channel lies below half of it.
    pub sample_rate: u32,
    /// Filters that make the channels.
    pub front_end: FrontEnd,
    /// Centre of the lowest channel in hertz, 50 ..= 1,000; the highest lies 95 / 24 octaves
    /// above. Default 180 Hz, where the cochlear filters of the NSL toolbox begin.
    pub lowest: f64,
    /// Centre over bandwidth (-3 dB) of the constant-Q filters, 1 ..= 16. Default 4, about
    /// that of auditory filters; a filter as narrow as the channels are apart (Q = 34) would
    /// have no room for fast modulations. The gammatone filters have their own bandwidth.
    pub q: f64,
    /// Rate over bandwidth (-3 dB) of the modulation filters, 1 ..= 8. Default 2: neighbours
    /// cross at -5 dB.
    pub rate_q: f64,
    /// Energy, or its root.
    pub measure: Measure,
    /// Whether the common logarithm is taken, with [`ENERGY_FLOOR`] under the energy.
    pub log: bool,
}

impl Default for Modulations {
    fn default() -> Self {
        Self {
            sample_rate: 22_050,
            front_end: FrontEnd::Gammatone,
            lowest: 180.0,
            q: 4.0,
            rate_q: 2.0,
            measure: Measure::Energy,
            log: false,
        }
    }
}

impl Modulations {
    /// # Errors
    /// [`Error::Setting`] naming the first value out of its range.
    pub fn validate(&self) -> Result<()> {
        let check = |holds: bool, name, value: f64, range| {
            if holds {
                Ok(())
            } else {
                Err(Error::Setting { name, value: value.to_string(), range })
            }
        };
        let rate = f64::from(self.sample_rate);
        check((8e3..=192e3).contains(&rate), "sample_rate", rate, "8000 to 192000 Hz")?;
        check((50.0..=1_000.0).contains(&self.lowest), "lowest", self.lowest, "50 to 1000 Hz")?;
        let room = "low enough that the highest channel, 15.5 times higher, lies below half the sample rate";
        check(self.centre(CHANNELS - 1) < rate / 2.0, "lowest", self.lowest, room)?;
        check((1.0..=16.0).contains(&self.q), "q", self.q, "1 to 16")?;
        check((1.0..=8.0).contains(&self.rate_q), "rate_q", self.rate_q, "1 to 8")
    }

    /// Samples of the shortest clip: what the slowest modulation filter needs to swing in
    /// and out (six standard deviations of its Gaussian envelope, 1.6 s by default).
    pub fn minimum_samples(&self) -> usize {
        (2.0 * reach_in_time(self.rate_q) * f64::from(self.sample_rate)).ceil() as usize
    }

    /// Names of the values of a vector, in order.
    pub fn names() -> Vec<String> {
        let channel =
            |channel: usize| RATES.map(|rate| format!("channel_{channel:02}_rate_{rate:03}_hz"));
        (0..CHANNELS).flat_map(channel).collect()
    }

    /// Centre of a channel in hertz.
    pub fn centre(&self, channel: usize) -> f64 {
        self.lowest * libm::exp2(channel as f64 / CHANNELS_PER_OCTAVE as f64)
    }

    pub(crate) fn filter(&self, channel: usize) -> Filter {
        Filter::new(self.front_end, self.centre(channel), self.q, f64::from(self.sample_rate))
    }
}
