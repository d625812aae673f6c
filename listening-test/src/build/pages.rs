//! Pages of several stimuli (MUSHRA, BS.1116): where they are found, and what is on them.

use std::path::Path;

use super::gather::{Content, Draft, Gathered, block, file_name, medium_of, sorted};
use super::sound::Sound;
use crate::answer_key::Role;
use crate::error::{Error, Result};
use crate::mushra::{Anchor, BS1116, MUSHRA, MushraPage, REFERENCE, check_name};
use crate::study::{Medium, Task};

/// By how much the lengths of a page's files may differ, in seconds (our choice); the shorter ones
/// are filled with silence, the longer ones cut.
const LENGTHS: f64 = 0.05;

impl Gathered {
    /// Pages of a folder, a folder each: `reference.wav` and a file a system.
    pub(super) fn add_pages(&mut self, folder: &Path, anchors: &[Anchor]) -> Result<()> {
        let pages = read_pages(folder, anchors)?;
        let name = self.free_name(MUSHRA);
        self.add_page_block(&name, &pages);
        Ok(())
    }

    /// Trials of BS.1116-3 from the same folders: one a page and system, with the reference hidden
    /// beside it.
    pub(super) fn add_triples(&mut self, folder: &Path) -> Result<()> {
        let name = self.free_name(BS1116);
        for page in read_pages(folder, &[])? {
            for system in &page.systems {
                let one = MushraPage { systems: vec![system.clone()], ..page.clone() };
                self.drafts.push(Draft { condition: BS1116.to_owned(), ..draft(&name, &one) });
            }
        }
        self.blocks.push(block(&name, Task::Bs1116, Medium::Audio, Vec::new()));
        Ok(())
    }

    /// A block of pages; systems that are not on every page are warned of.
    pub(super) fn add_page_block(&mut self, name: &str, pages: &[MushraPage]) {
        for page in pages {
            self.drafts.push(draft(name, page));
        }
        let of = |page: &MushraPage| {
            let mut names: Vec<String> =
                page.systems.iter().map(|(name, _)| name.clone()).collect();
            names.sort();
            names
        };
        if pages.iter().any(|page| of(page) != of(&pages[0])) {
            self.warnings.push(format!(
                "block {name:?}: not every page has the same systems, so their scores are not of the same pages"
            ));
        }
        self.blocks.push(block(name, Task::Mushra, Medium::Audio, Vec::new()));
    }
}

/// The pages in a folder, a folder each.
fn read_pages(folder: &Path, anchors: &[Anchor]) -> Result<Vec<MushraPage>> {
    let mut pages = Vec::new();
    for page in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        pages.push(read_page(&page, anchors)?);
    }
    if pages.is_empty() {
        return Err(Error::request(
            format!("{} holds no pages", folder.display()),
            "give a folder per page, with reference.wav and a WAV file per system",
        ));
    }
    Ok(pages)
}

fn read_page(folder: &Path, anchors: &[Anchor]) -> Result<MushraPage> {
    let remedy = "put reference.wav and a WAV file per system into each page's folder";
    let mut reference = None;
    let mut systems = Vec::new();
    for file in sorted(folder)? {
        if medium_of(&file) != Some(Medium::Audio) {
            return Err(Error::bad_file(file, "it is not a WAV file", remedy));
        }
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == REFERENCE {
            reference = Some(file);
            continue;
        }
        check_name(&name).map_err(|what| Error::bad_file(&file, what, "rename the file"))?;
        if systems.iter().any(|(other, _)| *other == name) {
            return Err(Error::bad_file(&file, "its name is there twice", "rename the file"));
        }
        systems.push((name, file));
    }
    let Some(reference) = reference.filter(|_| !systems.is_empty()) else {
        let what = format!("{:?} has no reference.wav or nothing beside it", file_name(folder));
        return Err(Error::bad_file(folder, what, remedy));
    };
    Ok(MushraPage { reference, systems, anchors: anchors.to_vec() })
}

/// The open reference, then the stimuli to score: hidden reference, anchors, systems.
fn draft(block: &str, page: &MushraPage) -> Draft {
    let file = || Content::File(page.reference.clone());
    let mut contents = vec![file(), file()];
    let mut conditions = vec![REFERENCE.to_owned()];
    for &anchor in &page.anchors {
        contents.push(Content::Anchor(page.reference.clone(), anchor));
        conditions.push(anchor.name().to_owned());
    }
    for (name, path) in &page.systems {
        contents.push(Content::File(path.clone()));
        conditions.push(name.clone());
    }
    Draft {
        role: Role::Trial,
        block: block.to_owned(),
        medium: Medium::Audio,
        contents,
        condition: MUSHRA.to_owned(),
        truth: String::new(),
        posterior: None,
        fooling_set: None,
        conditions,
        strengths: Vec::new(),
    }
}

/// Makes the sounds of a page or track as long as its reference, so that they play in step, and says which
/// had another length.
///
/// # Errors
/// [`trompe_base::Error::BadFile`] for a sound of another rate or number of channels, or much
/// longer or shorter.
pub(super) fn align(contents: &[Content], sounds: &mut [Sound]) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    let Some((reference, others)) = sounds.split_first_mut() else { return Ok(changed) };
    for (content, sound) in contents.iter().skip(1).zip(others) {
        let bad = |what: String| {
            Error::bad_file(
                content.describe(),
                what,
                "give all files of a page or track one rate, as many channels and one length",
            )
        };
        if (sound.rate, sound.channels) != (reference.rate, reference.channels) {
            return Err(bad(format!(
                "{} channels at {} Hz, the reference has {} at {} Hz",
                sound.channels, sound.rate, reference.channels, reference.rate
            )));
        }
        if (sound.seconds() - reference.seconds()).abs() > LENGTHS {
            return Err(bad(format!(
                "it lasts {:.3} s, the reference {:.3} s",
                sound.seconds(),
                reference.seconds()
            )));
        }
        if sound.frames() != reference.frames() {
            changed.push(format!(
                "{} lasts {:.4} s: fitted to the {:.4} s of its reference",
                content.describe(),
                sound.seconds(),
                reference.seconds()
            ));
            sound.samples.resize(reference.samples.len(), 0.0);
        }
    }
    Ok(changed)
}
