//! The reader that `TROMPE_READER` names, on what libFuzzer thinks of: a byte that chooses the
//! name of the file, then its content.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trompe_malformed::campaign::Campaign;
use trompe_malformed::readers::Reader;

static CAMPAIGN: LazyLock<Campaign> = LazyLock::new(|| {
    // libFuzzer ends the program at every panic, contained or not; here only those that escape
    // are of interest, and it still sees them.
    drop(std::panic::take_hook());
    let name = std::env::var("TROMPE_READER").unwrap_or_else(|_| "audio".to_owned());
    let reader = Reader::named(&name).unwrap_or_else(|| panic!("no reader '{name}'"));
    Campaign::new(reader).expect("seeds")
});

fuzz_target!(|bytes: &[u8]| CAMPAIGN.feed_any(bytes));
