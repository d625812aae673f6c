//! A short campaign for every reader; `cargo run -p trompe-malformed` runs long ones.

#![allow(clippy::unwrap_used)]

use trompe_malformed::campaign::Campaign;
use trompe_malformed::readers::ALL;

/// Files that no reader would accept prove nothing when they are refused damaged.
#[test]
fn every_reader_accepts_its_seeds() {
    for reader in ALL {
        let name = reader.name;
        let campaign = Campaign::new(reader).unwrap();
        let (accepted, refused) = campaign.judge_seeds().unwrap();
        assert!(!accepted.is_empty(), "{name} accepts none of {refused:?}");
        if name != "audio" {
            assert!(refused.is_empty(), "{name} refuses {refused:?}");
            continue;
        }
        // Some sound is cut short, or ends before the stretch that is read; with overflow checks
        // symphonia takes no MS ADPCM.
        for format in ["mono.wav", "deep.wav", "sound.aiff", "sound.au", "tone.flac", "tone.mp3"]
            .into_iter()
            .chain(["tone.ogg", "tone.m4a"])
        {
            assert!(accepted.contains(&format.to_owned()), "{format} is refused: {refused:?}");
        }
    }
}

#[test]
fn damaged_files_do_no_harm() {
    let keep = std::env::temp_dir().join("hostile-files");
    for reader in ALL {
        let name = reader.name;
        // Each of these files is what a process of its own writes.
        let runs = if name == "program" { 200 } else { 2000 };
        let report = Campaign::new(reader).unwrap().go(11, 0..runs, &keep).unwrap();
        assert_eq!(report.runs, runs);
        assert!(report.escaped.is_empty(), "{name}: runs {:?} panic", report.escaped);
        // A hang, not a slow machine: longer than the watchdog would wait.
        assert!(report.slowest.as_secs() < 60, "{name}: {:?}", report.slowest);
    }
}
