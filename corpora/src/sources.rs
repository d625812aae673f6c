//! Where the sound of a collection comes from, as far as it is known, and what two collections have
//! in common: a classifier knows sounds of its training corpus, so excerpts made of them say little.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use trompe_base::Result;
use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;

use crate::cache::Cache;
use crate::decode::has_audio_extension;
use crate::layout::about::About;
use crate::layout::audio_below;
use crate::limits::Limits;
use crate::recipes::{self, Collection};

/// Packages that a collection is made from, and the content of its sound files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Names of packages, and sources that an `about.toml` states.
    pub names: BTreeSet<String>,
    /// Sound files by the SHA-256 of their content.
    pub files: BTreeMap<String, String>,
}

/// What two collections share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// Packages or stated sources.
    pub names: Vec<String>,
    /// Files of the first collection whose content the second has, too.
    pub files: Vec<String>,
}

impl Sources {
    /// The sources of the recipe `name`: its packages, and the files of its collections in the
    /// cache. `None` if there is no such recipe.
    ///
    /// # Errors
    /// If a description in the cache cannot be read.
    pub fn of_recipe(name: &str, cache: &Cache) -> Result<Option<Self>> {
        let known = recipes::list(cache)?;
        let Some(recipe) = known.into_iter().find(|recipe| recipe.name == name) else {
            return Ok(None);
        };
        let mut sources =
            Self { names: recipe.package_names.into_iter().collect(), ..Self::default() };
        for folder in &recipe.installed {
            sources.add_collection(folder, cache)?;
        }
        Ok(Some(sources))
    }

    /// The sources of a folder: what its `collection.json` or `about.toml` says, and the content of
    /// its sound files.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn of_folder(folder: &Path, cache: &Cache) -> Result<Self> {
        let mut sources = Self::default();
        sources.names.extend(About::read(folder, &Limits::default())?.sources);
        if sources.add_collection(folder, cache)? {
            return Ok(sources);
        }
        let files = audio_below(folder, folder)?;
        let hashed = files.into_par_iter().map(|(id, path)| Ok((hex(&sha256_file(&path)?), id)));
        sources.files.extend(hashed.collect::<Result<Vec<_>>>()?);
        Ok(sources)
    }

    /// What both have in common; `None` if nothing is known to be.
    pub fn shared_with(&self, other: &Self) -> Option<Shared> {
        let names = self.names.intersection(&other.names).cloned().collect();
        let both = |(hash, _): &(&String, &String)| other.files.contains_key(*hash);
        let files = self.files.iter().filter(both).map(|(_, file)| file.clone()).collect();
        let shared = Shared { names, files };
        (shared != Shared::default()).then_some(shared)
    }

    /// Adds what the description of a collection says, if `folder` has one.
    fn add_collection(&mut self, folder: &Path, cache: &Cache) -> Result<bool> {
        let Some(collection) = Collection::read(folder)? else { return Ok(false) };
        let sound = collection.files.into_iter();
        let sound = sound.filter(|file| has_audio_extension(Path::new(&file.path)));
        self.files.extend(sound.map(|file| (file.sha256, file.path)));
        // The recipe of this name is asked: descriptions name no packages.
        let recipe = recipes::list(cache)?.into_iter().find(|one| one.name == collection.name);
        self.names.extend(recipe.into_iter().flat_map(|recipe| recipe.package_names));
        Ok(true)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::test_tree::plant_samples;

    #[test]
    fn recipes_share_the_packages_that_they_share() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let of = |name: &str| Sources::of_recipe(name, &cache).unwrap().unwrap();
        let shared = of("loops").shared_with(&of("styles")).unwrap();
        assert_eq!(shared.names, ["mma", "timgm6mb-soundfont"]);
        assert_eq!(shared.files, [""; 0]);
        for corpus in ["styles", "styles-2", "game-music", "fma-clips"] {
            assert_eq!(of("samples").shared_with(&of(corpus)), None, "{corpus}");
        }
        assert_eq!(Sources::of_recipe("nothing", &cache).unwrap(), None);
    }

    #[test]
    fn folders_share_files_by_content_and_sources_by_name() {
        let cache = Cache::at("nowhere");
        let (bank, corpus) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        plant_samples(bank.path(), "loops/a.wav", &[1, 2, 3]);
        plant_samples(bank.path(), "loops/b.wav", &[4, 5, 6]);
        plant_samples(corpus.path(), "rock/other name.wav", &[4, 5, 6]);
        let of = |folder: &tempfile::TempDir| Sources::of_folder(folder.path(), &cache).unwrap();
        let shared = of(&bank).shared_with(&of(&corpus)).unwrap();
        assert_eq!(
            (shared.names.len(), shared.files.as_slice()),
            (0, &["loops/b.wav".to_owned()][..])
        );
        std::fs::remove_file(corpus.path().join("rock/other name.wav")).unwrap();
        plant_samples(corpus.path(), "rock/c.wav", &[7, 8]);
        assert_eq!(of(&bank).shared_with(&of(&corpus)), None);
        for folder in [&bank, &corpus] {
            let about = About { sources: vec!["studio".to_owned()], ..About::default() };
            about.write(folder.path()).unwrap();
        }
        assert_eq!(of(&bank).shared_with(&of(&corpus)).unwrap().names, ["studio"]);
    }
}
