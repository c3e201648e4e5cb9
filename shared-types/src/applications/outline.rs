//! What lists, lanes and health say about an instance of a type, apart from the type's settings and their rules: a program
//! that uses nothing else does not contain those.

use serde_json::{Map, Value};

use super::{ALL, ApplicationType, DataPlace, UNKNOWN};

/// The part of an application type that every screen uses.
#[derive(Debug, Clone, Copy)]
pub struct Outline {
    /// [`ApplicationType::word`].
    pub word: &'static str,
    /// [`ApplicationType::headline`].
    pub headline: Option<&'static str>,
    /// [`ApplicationType::code_reference`].
    pub code_reference: Option<&'static str>,
    /// [`ApplicationType::site_labels`].
    pub site_labels: &'static [(&'static str, &'static str)],
    /// [`ApplicationType::data`].
    pub data: fn(&Map<String, Value>) -> DataPlace,
}

impl Outline {
    const fn of(kind: &ApplicationType) -> Self {
        Self {
            word: kind.word,
            headline: kind.headline,
            code_reference: kind.code_reference,
            site_labels: kind.site_labels,
            data: kind.data,
        }
    }
}

/// The outline of every type. It is made by the compiler, and refers to no type.
static OUTLINES: [Outline; ALL.len()] = {
    let mut outlines = [Outline::of(&UNKNOWN); ALL.len()];
    let mut n = 0;
    while n < ALL.len() {
        outlines[n] = Outline::of(ALL[n]);
        n += 1;
    }
    outlines
};

static OF_UNKNOWN: Outline = Outline::of(&UNKNOWN);

/// The outline of the type with this word; if there is none, one that says nothing.
pub fn outline(word: &str) -> &'static Outline {
    OUTLINES.iter().find(|one| one.word == word).unwrap_or(&OF_UNKNOWN)
}

/// The label of the site with this name; the name itself where no type has a label for it.
pub fn site_label(name: &str) -> &str {
    let labels = OUTLINES.iter().flat_map(|kind| kind.site_labels);
    labels.into_iter().find(|(known, _)| *known == name).map_or(name, |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_outline() {
        for kind in ALL {
            let outline = outline(kind.word);
            assert_eq!(
                (outline.word, outline.headline, outline.code_reference, outline.site_labels),
                (kind.word, kind.headline, kind.code_reference, kind.site_labels)
            );
        }
        assert_eq!((outline("of-later").word, outline("of-later").headline), (UNKNOWN.word, None));
    }

    #[test]
    fn a_site_has_the_label_of_its_type() {
        assert_eq!((site_label("lms"), site_label("library")), ("LMS", "library"));
    }
}
