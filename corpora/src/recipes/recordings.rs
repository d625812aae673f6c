//! Corpora of recordings: the packages' own files, cut by the manifest alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use trompe_base::{Error, Result};

use crate::cache::Cache;
use crate::recipes::collection::{ClipRow, write_manifest};
use crate::recipes::packages;
use crate::recipes::recipe::{Recipe, RecordingClass, Recordings, Track};
use crate::recipes::tools::Tools;

/// Moves the listed files of the unpacked packages into `folder` and writes the manifest.
///
/// # Errors
/// Those of fetching and unpacking, and [`Error::BadFile`] for a listed file that its
/// package does not hold.
pub(crate) fn make(
    recipe: &Recipe,
    plan: &Recordings,
    clips_per_class: Option<usize>,
    cache: &Cache,
    tools: &Tools,
    folder: &Path,
) -> Result<()> {
    let unpacked = folder.join(".unpacked");
    for package in &recipe.package {
        packages::unpack_into(package, &unpacked.join(&package.name), cache, tools)?;
    }
    let mut rows = Vec::new();
    let mut used = BTreeSet::new();
    for class in &plan.class {
        for (track, start, end) in cuts(class, plan, clips_per_class) {
            let path = format!("{}/{}", track.package, track.path);
            if used.insert(path.clone()) {
                bring(&unpacked.join(&path), &folder.join(&path))?;
            }
            let id = match start {
                Some(start) => format!("{path}@{start}"),
                None => path.clone(),
            };
            let (label, group) = (class.name.clone(), path.clone());
            rows.push(ClipRow { path, label, group, source: None, start, end, id });
        }
    }
    fs::remove_dir_all(&unpacked).map_err(|source| Error::io(&unpacked, source))?;
    write_manifest(folder, &rows)
}

/// Moves an unpacked file to its place.
///
/// # Errors
/// [`Error::BadFile`] if it is not there or no ordinary file, [`Error::Io`].
pub(super) fn bring(from: &Path, to: &Path) -> Result<()> {
    // Not through a link: a package might point anywhere.
    if !fs::symlink_metadata(from).is_ok_and(|found| found.is_file()) {
        return Err(Error::bad_file(
            from,
            "is missing from its package",
            "report it: the recipe names a file that the pinned package does not hold",
        ));
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
    }
    fs::rename(from, to).map_err(|source| Error::io(from, source))
}

/// What one clip is of: a track, and its stretch in seconds (the whole track without).
type Cut<'a> = (&'a Track, Option<f64>, Option<f64>);

/// The clips of a class. Cuts do not overlap, lie evenly in the middle of their tracks, and
/// are dealt to the tracks in turn until there are `clips_per_class` (all there is room for
/// without it).
fn cuts<'a>(
    class: &'a RecordingClass,
    plan: &Recordings,
    clips_per_class: Option<usize>,
) -> Vec<Cut<'a>> {
    let most = clips_per_class.unwrap_or(usize::MAX);
    let Some(length) = plan.cut_seconds else {
        return class.track.iter().take(most).map(|track| (track, None, None)).collect();
    };
    let room = |track: &Track| {
        // A track too short for margins still gives the cut from its middle.
        let inner = (track.seconds - 2.0 * plan.margin).max(length.min(track.seconds));
        (inner / length) as usize
    };
    let mut dealt = vec![0_usize; class.track.len()];
    let mut left = most;
    loop {
        let before = left;
        for (count, track) in dealt.iter_mut().zip(&class.track) {
            if left > 0 && *count < room(track) {
                *count += 1;
                left -= 1;
            }
        }
        if left == before || left == 0 {
            break;
        }
    }
    let mut cuts = Vec::new();
    for (count, track) in dealt.into_iter().zip(&class.track) {
        // The time that is not cut out lies in equal gaps around the cuts; whole seconds are
        // grain enough and read well.
        let gap = (track.seconds - count as f64 * length) / (count as f64 + 1.0);
        for cut in 0..count {
            let start = (gap + cut as f64 * (gap + length)).floor();
            cuts.push((track, Some(start), Some(start + length)));
        }
    }
    cuts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn class(lengths: &[f64]) -> RecordingClass {
        let track = |(index, seconds): (usize, &f64)| Track {
            package: "p".into(),
            path: format!("{index}.ogg"),
            artist: "x".into(),
            seconds: *seconds,
        };
        RecordingClass { name: "c".into(), track: lengths.iter().enumerate().map(track).collect() }
    }

    fn plan(cut_seconds: Option<f64>) -> Recordings {
        Recordings { cut_seconds, clips_per_class: None, margin: 10.0, class: Vec::new() }
    }

    #[test]
    fn cuts_lie_apart_inside_their_tracks() {
        let class = class(&[31.0, 80.0, 400.0]);
        let cuts = cuts(&class, &plan(Some(30.0)), None);
        assert_eq!(cuts.len(), 1 + 2 + 12);
        for pair in cuts.windows(2) {
            if pair[0].0 == pair[1].0 {
                assert!(pair[0].2.unwrap() <= pair[1].1.unwrap());
            }
        }
        for (track, start, end) in cuts {
            assert!(start.unwrap() >= 0.0 && end.unwrap() <= track.seconds);
            assert_eq!(end.unwrap() - start.unwrap(), 30.0);
        }
    }

    #[test]
    fn tracks_take_turns() {
        let class = class(&[400.0, 400.0, 400.0]);
        let cuts = cuts(&class, &plan(Some(30.0)), Some(4));
        let of = |index: usize| cuts.iter().filter(|cut| cut.0 == &class.track[index]).count();
        assert_eq!([of(0), of(1), of(2)], [2, 1, 1]);
    }

    #[test]
    fn whole_files_have_no_stretch() {
        let class = class(&[31.0, 80.0]);
        let cuts = cuts(&class, &plan(None), None);
        assert_eq!(cuts.len(), 2);
        assert_eq!((cuts[0].1, cuts[0].2), (None, None));
    }
}
