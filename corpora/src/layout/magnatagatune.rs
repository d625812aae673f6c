//! MagnaTagATune (Law et al., *Evaluation of algorithms using games: the case of music tagging*,
//! ISMIR 2009): `annotations_final.csv`, `clip_info_final.csv`, the sound in folders `0` to `f`.
//!
//! Of its 188 tags the 50 most frequent are read, as is usual. Artist, album and track are groups,
//! and the split is the usual one by folder: `0` to `b` to train, `c` to validate, `d` to `f` to test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};

use crate::corpus::{Corpus, GroupKind, Split};
use crate::layout::listed::{self, Listed, absent, first_line, groups};
use crate::limits::Limits;

const TAGS: &str = "annotations_final.csv";
const CLIPS: &str = "clip_info_final.csv";
/// How many of the most frequent tags are read.
const TOP: usize = 50;

/// A copy of MagnaTagATune on disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MagnaTagATune {
    root: PathBuf,
    table: PathBuf,
}

/// Whether the path is the table of tags, or a folder with it.
pub(super) fn find(path: &Path) -> Option<MagnaTagATune> {
    let table = if path.is_file() { path.to_owned() } else { path.join(TAGS) };
    let header = first_line(&table);
    let known = header.contains("clip_id") && header.contains("mp3_path");
    let named = table.file_name().is_some_and(|name| name == TAGS);
    (named && known).then(|| MagnaTagATune { root: path.to_owned(), table })
}

impl MagnaTagATune {
    /// Reads the clips whose sound is there.
    ///
    /// # Errors
    /// [`Error::Request`] if the table has no columns of tags, or none of the sound is there.
    pub(super) fn open(&self, limits: &Limits) -> Result<Corpus> {
        let lines = listed::lines(&self.table, b'\t', limits)?;
        let Some((header, clips)) = lines.split_first() else { return Err(self.malformed()) };
        let column = |name: &str| header.iter().position(|column| column == name);
        let (Some(id), Some(path)) = (column("clip_id"), column("mp3_path")) else {
            return Err(self.malformed());
        };
        let top = top_tags(header, clips, [id, path]);
        let info = self.clip_info(limits)?;
        let folder = self.table.parent().unwrap_or(Path::new(""));
        let places = ["", "mp3", "mp3s", "audio"].map(|name| folder.join(name));
        let mut listed = Vec::new();
        let (mut without_sound, mut without_tag) = (0, 0);
        for clip in clips {
            let name = clip.get(path).unwrap_or("");
            let tags = top.iter().filter(|(column, _)| clip.get(*column) == Some("1"));
            let labels: Vec<String> = tags.map(|(_, tag)| (*tag).to_owned()).collect();
            let file = places.iter().map(|place| place.join(name)).find(|file| file.is_file());
            let Some(file) = file.filter(|_| !name.is_empty()) else {
                without_sound += 1;
                continue;
            };
            if labels.is_empty() {
                without_tag += 1;
                continue;
            }
            let groups = clip.get(id).and_then(|id| info.get(id)).cloned().unwrap_or_default();
            let split = split(name);
            listed.push(Listed { labels, split, groups, ..Listed::new(name.to_owned(), file, "") });
        }
        let about = format!(
            "MagnaTagATune: tags on which players of a game agreed, the {} most frequent of {}{}{}",
            top.len(),
            header.len().saturating_sub(2),
            absent(without_sound, clips.len(), "clips have no sound here"),
            absent(without_tag, clips.len(), "clips have none of these tags and are left out")
        );
        listed::corpus(&self.root, about, listed)
    }

    /// Artist, album and track of every clip, if the table of clips is there.
    fn clip_info(&self, limits: &Limits) -> Result<BTreeMap<String, BTreeMap<GroupKind, String>>> {
        let table = self.table.with_file_name(CLIPS);
        if !table.is_file() {
            return Ok(BTreeMap::new());
        }
        let lines = listed::lines(&table, b'\t', limits)?;
        let Some((header, clips)) = lines.split_first() else { return Ok(BTreeMap::new()) };
        let column = |name: &str| header.iter().position(|column| column == name);
        let (id, artist, album) = (column("clip_id"), column("artist"), column("album"));
        let (number, title) = (column("track_number"), column("title"));
        let field = |clip: &csv::StringRecord, column: Option<usize>| {
            column.and_then(|column| clip.get(column)).unwrap_or("").to_owned()
        };
        let of_clip = |clip: &csv::StringRecord| {
            let (artist, album) = (field(clip, artist), field(clip, album));
            let track = format!("{artist}/{album}/{}/{}", field(clip, number), field(clip, title));
            let track = if track.len() > 3 { track.as_str() } else { "" };
            let named = [
                (GroupKind::Artist, artist.as_str()),
                (GroupKind::Album, album.as_str()),
                (GroupKind::Track, track),
            ];
            (field(clip, id), groups(named))
        };
        Ok(clips.iter().map(of_clip).collect())
    }

    fn malformed(&self) -> Error {
        Error::request(
            format!("{}: has no columns clip_id and mp3_path", self.table.display()),
            "fetch it again",
        )
    }
}

/// The columns of the most frequent tags with their names; of equal ones the first by name.
fn top_tags<'h>(
    header: &'h csv::StringRecord,
    clips: &[csv::StringRecord],
    others: [usize; 2],
) -> Vec<(usize, &'h str)> {
    let mut tags: Vec<(usize, &str, usize)> = header
        .iter()
        .enumerate()
        .filter(|(column, _)| !others.contains(column))
        .map(|(column, tag)| {
            let given = clips.iter().filter(|clip| clip.get(column) == Some("1")).count();
            (column, tag, given)
        })
        .filter(|(.., given)| *given > 0)
        .collect();
    tags.sort_by(|a, b| b.2.cmp(&a.2).then(a.1.cmp(b.1)));
    tags.truncate(TOP);
    tags.sort();
    tags.into_iter().map(|(column, tag, _)| (column, tag)).collect()
}

/// The part that a clip's folder belongs to.
fn split(name: &str) -> Option<Split> {
    let folder = name.split('/').next().filter(|folder| folder.len() == 1)?;
    Some(match u8::from_str_radix(folder, 16).ok()? {
        0..=0xb => Split::Train,
        0xc => Split::Valid,
        _ => Split::Test,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::open;
    use crate::layout::test_tree::{plant, write};

    #[test]
    fn the_most_frequent_tags_become_labels_and_artists_groups() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        plant(root, &["mp3/0/a-1.mp3", "mp3/c/b-1.mp3", "mp3/f/b-2.mp3"]);
        write(
            root,
            TAGS,
            "\"clip_id\"\t\"no voice\"\t\"singer\"\t\"duet\"\t\"mp3_path\"\n\
             \"2\"\t\"1\"\t\"0\"\t\"0\"\t\"0/a-1.mp3\"\n\
             \"6\"\t\"1\"\t\"1\"\t\"0\"\t\"c/b-1.mp3\"\n\
             \"7\"\t\"0\"\t\"0\"\t\"0\"\t\"f/b-2.mp3\"\n\
             \"9\"\t\"0\"\t\"1\"\t\"0\"\t\"f/gone.mp3\"\n",
        );
        write(
            root,
            CLIPS,
            "clip_id\ttrack_number\ttitle\tartist\talbum\tmp3_path\n\
             2\t1\tBWV54\tAnn\tSongs\t0/a-1.mp3\n6\t3\tDay\tBob\tDays\tc/b-1.mp3\n",
        );
        for path in [root.to_owned(), root.join(TAGS)] {
            let corpus = open(&path, &Limits::default()).unwrap();
            // Nobody gave the tag duet.
            assert_eq!(corpus.classes, ["no voice", "singer"]);
            let clips: Vec<_> = corpus
                .clips
                .iter()
                .map(|clip| (clip.id.as_str(), clip.labels().count(), clip.split))
                .collect();
            let expected =
                [("0/a-1.mp3", 1, Some(Split::Train)), ("c/b-1.mp3", 2, Some(Split::Valid))];
            assert_eq!(clips, expected);
            assert_eq!(corpus.clips[1].group.as_deref(), Some("Bob"));
            assert_eq!(corpus.clips[1].groups[&GroupKind::Track], "Bob/Days/3/Day");
            for words in ["1 of its 4 clips have no sound", "1 of its 4 clips have none"] {
                assert!(corpus.labels.contains(words), "{}", corpus.labels);
            }
        }
    }

    #[test]
    fn only_so_many_tags_are_read() {
        let names: Vec<String> = (0..60).map(|number| format!("t{number:02}")).collect();
        let header = csv::StringRecord::from_iter(names.iter().chain(["id".to_owned()].iter()));
        let clip = |tags: usize| {
            csv::StringRecord::from_iter((0..60).map(|n| if n < tags { "1" } else { "0" }))
        };
        let top = top_tags(&header, &[clip(55), clip(60), clip(10)], [60, 61]);
        assert_eq!(top.len(), TOP);
        assert_eq!((top[0], top[49]), ((0, "t00"), (49, "t49")));
    }
}
