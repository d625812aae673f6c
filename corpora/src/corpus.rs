//! What a corpus is: classes, and clips with their label, split, fold and group.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trompe_base::{Error, Result};

/// Where the sound of a corpus or bank comes from. Kept in every model, manifest and
/// report made from it, so that real and synthetic are never mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Recordings of music.
    Recorded,
    /// Human-written music played by a sampler or synthesizer.
    Rendered,
    /// Made by the built-in synthesizer: for tests and offline trials only.
    Synthetic,
    /// The user's own files, of which nothing was stated.
    Unstated,
}

/// Part of a fixed train / validation / test partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Used to fit.
    Train,
    /// Used to choose settings.
    Valid,
    /// Used once, to report.
    Test,
}

impl Split {
    /// Its name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

/// What clips of one group have in common, where a corpus knows several such things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// Who plays.
    Artist,
    /// The record.
    Album,
    /// The piece that clips are cut from.
    Track,
    /// Where the sound comes from: a collection, a studio, a SoundFont.
    Source,
}

impl GroupKind {
    /// Every kind, those whose groups are most of all relatives first.
    pub const ALL: [Self; 4] = [Self::Artist, Self::Album, Self::Track, Self::Source];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Track => "track",
            Self::Source => "source",
        }
    }
}

/// One labelled clip of a corpus: a file, or a stretch of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Unique, stable name inside the corpus (by default the path below its root).
    pub id: String,
    /// The audio file.
    pub path: PathBuf,
    /// Index into [`Corpus::classes`]; of several labels (tags) the first.
    pub class: usize,
    /// Its further labels, ascending, without `class`: empty for a clip with one label.
    pub other_labels: Vec<usize>,
    /// Part of the corpus' fixed partition, if it has one.
    pub split: Option<Split>,
    /// Number of the corpus' fixed fold, if it has one.
    pub fold: Option<usize>,
    /// What must not be divided between training and test: artist, album, style file.
    pub group: Option<String>,
    /// Its groups by kind, as far as the corpus states them ([`Corpus::group_by`] makes one of
    /// them `group`).
    pub groups: BTreeMap<GroupKind, String>,
    /// Start within the file, in seconds.
    pub start: f64,
    /// End within the file, in seconds; `None` is the file's end.
    pub end: Option<f64>,
    /// Whether frames of the file that are damaged or missing are read as silence. Otherwise the file
    /// is bad.
    pub conceal: bool,
}

/// A labelled collection of clips.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// Name as the user gave it.
    pub name: String,
    /// Where the sound comes from.
    pub provenance: Provenance,
    /// The published data set that it was recognized as, if its provenance is what is known of that
    /// one; `None` if the provenance was stated, or nothing is known.
    pub known_as: Option<String>,
    /// Its licence, if that was stated.
    pub licence: Option<String>,
    /// What the labels are worth, in a sentence.
    pub labels: String,
    /// Class names, in a fixed order.
    pub classes: Vec<String>,
    /// Clips, in a fixed order (by id).
    pub clips: Vec<Clip>,
}

/// What single-label classifiers cannot use of a corpus with tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeveralLabels {
    /// Names of the clips with several labels.
    pub clips: Vec<String>,
    /// Labels of no other clips.
    pub classes: Vec<String>,
}

impl Clip {
    /// A clip that is a whole file, without split, fold and groups.
    pub fn new(id: impl Into<String>, path: impl Into<PathBuf>, class: usize) -> Self {
        Self {
            id: id.into(),
            path: path.into(),
            class,
            other_labels: Vec::new(),
            split: None,
            fold: None,
            group: None,
            groups: BTreeMap::new(),
            start: 0.0,
            end: None,
            conceal: false,
        }
    }

    /// Its labels, the first one first.
    pub fn labels(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.class).chain(self.other_labels.iter().copied())
    }
}

impl Corpus {
    /// Reads damaged and missing frames of every clip as silence ([`Clip::conceal`]).
    pub fn conceal(&mut self) {
        self.clips.iter_mut().for_each(|clip| clip.conceal = true);
    }

    /// The kinds of groups that are stated of a clip or more.
    pub fn group_kinds(&self) -> Vec<GroupKind> {
        let stated = |kind: &GroupKind| self.clips.iter().any(|c| c.groups.contains_key(kind));
        GroupKind::ALL.into_iter().filter(stated).collect()
    }

    /// Makes the groups of `kind` those that splits and folds keep together, and returns how many
    /// clips have none: each of these is its own.
    ///
    /// # Errors
    /// [`Error::Request`] if no clip has one.
    pub fn group_by(&mut self, kind: GroupKind) -> Result<usize> {
        let kinds = self.group_kinds();
        if !kinds.contains(&kind) {
            let known: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(Error::request(
                format!("corpus {} states no {}s of its clips", self.name, kind.name()),
                match known.as_slice() {
                    [] => "leave --group-by out: it states no groups by kind".to_owned(),
                    known => format!("choose {}", known.join(" or ")),
                },
            ));
        }
        for clip in &mut self.clips {
            clip.group = clip.groups.get(&kind).cloned();
        }
        Ok(self.clips.iter().filter(|clip| clip.group.is_none()).count())
    }

    /// Where no clip has a group, takes the first kind of [`GroupKind::ALL`] that is stated.
    pub(crate) fn group_by_default(&mut self) {
        if self.clips.iter().all(|clip| clip.group.is_none())
            && let Some(&kind) = self.group_kinds().first()
        {
            self.clips.iter_mut().for_each(|clip| clip.group = clip.groups.get(&kind).cloned());
        }
    }

    /// Leaves out clips with several labels, which a single-label classifier cannot use, and
    /// classes that no clip is left of; says which.
    pub fn keep_single_labels(&mut self) -> SeveralLabels {
        let mut left_out = SeveralLabels::default();
        let mut had = vec![false; self.classes.len()];
        self.clips.retain(|clip| {
            let single = clip.other_labels.is_empty();
            if !single {
                left_out.clips.push(clip.id.clone());
                clip.labels().for_each(|label| had[label] = true);
            }
            single
        });
        let mut kept = vec![false; self.classes.len()];
        self.clips.iter().for_each(|clip| kept[clip.class] = true);
        // A class that was empty before is the user's mistake, and stays to be found.
        let keep: Vec<bool> = (0..kept.len()).map(|class| kept[class] || !had[class]).collect();
        let places: Vec<usize> = keep
            .iter()
            .scan(0, |next, &keep| Some(std::mem::replace(next, *next + usize::from(keep))))
            .collect();
        self.clips.iter_mut().for_each(|clip| clip.class = places[clip.class]);
        let classes = std::mem::take(&mut self.classes);
        for (class, keep) in classes.into_iter().zip(keep) {
            if keep { &mut self.classes } else { &mut left_out.classes }.push(class);
        }
        left_out
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn corpus(clips: Vec<Clip>) -> Corpus {
        Corpus {
            known_as: None,
            licence: None,
            name: "toy".to_owned(),
            provenance: Provenance::Unstated,
            labels: String::new(),
            classes: ["guitar", "loud", "piano", "none"].map(str::to_owned).to_vec(),
            clips,
        }
    }

    #[test]
    fn clips_with_several_labels_are_left_out_by_name_and_so_are_their_classes() {
        let mut tagged = corpus(vec![
            Clip::new("a", "a.wav", 0),
            Clip { other_labels: vec![1, 2], ..Clip::new("b", "b.wav", 0) },
            Clip::new("c", "c.wav", 2),
        ]);
        let single = tagged.clone();
        let left_out = tagged.keep_single_labels();
        assert_eq!(left_out.clips, ["b"]);
        assert_eq!(left_out.classes, ["loud"]);
        // A class that never had a clip is still there, to be complained of.
        assert_eq!(tagged.classes, ["guitar", "piano", "none"]);
        let kept: Vec<_> = tagged.clips.iter().map(|c| (c.id.as_str(), c.class)).collect();
        assert_eq!(kept, [("a", 0), ("c", 1)]);
        assert_eq!(single.clips[1].labels().collect::<Vec<_>>(), [0, 1, 2]);
        let before = tagged.clone();
        assert_eq!(tagged.keep_single_labels(), SeveralLabels::default());
        assert_eq!(tagged, before);
    }

    #[test]
    fn the_kind_of_group_is_chosen() {
        let groups = |pairs: &[(GroupKind, &str)]| {
            pairs.iter().map(|&(kind, name)| (kind, name.to_owned())).collect()
        };
        let mut corpus = corpus(vec![
            Clip {
                groups: groups(&[(GroupKind::Artist, "Ann"), (GroupKind::Track, "1")]),
                ..Clip::new("a", "a.wav", 0)
            },
            Clip { groups: groups(&[(GroupKind::Track, "2")]), ..Clip::new("b", "b.wav", 0) },
        ]);
        assert_eq!(corpus.group_kinds(), [GroupKind::Artist, GroupKind::Track]);
        corpus.group_by_default();
        let named = |corpus: &Corpus| -> Vec<_> {
            corpus.clips.iter().map(|clip| clip.group.clone()).collect()
        };
        assert_eq!(named(&corpus), [Some("Ann".to_owned()), None]);
        assert_eq!(corpus.group_by(GroupKind::Track).unwrap(), 0);
        assert_eq!(named(&corpus), [Some("1".to_owned()), Some("2".to_owned())]);
        assert_eq!(corpus.group_by(GroupKind::Artist).unwrap(), 1);
        let error = corpus.group_by(GroupKind::Album).unwrap_err().to_string();
        assert!(error.contains("no albums") && error.contains("artist or track"), "{error}");
    }
}
