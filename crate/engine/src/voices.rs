//! Keeps the adapters of a bundle by name, and applies one at a time to the generator.

use anchorite_model::adapter::Adapter;
use anchorite_model::generate::Generator;

use crate::error::EngineError;
use crate::phrases::Phrases;

/// The loaded adapters, the default one first.
#[derive(Default)]
pub(crate) struct Voices {
    loaded: Vec<Loaded>,
    /// The adapter now applied to the generator.
    applied: Option<usize>,
}

struct Loaded {
    name: String,
    adapter: Adapter,
    phrases: Phrases,
}

impl Voices {
    /// Adds an adapter, or replaces the one of its name.
    pub(crate) fn insert(&mut self, name: &str, adapter: Adapter) -> Result<(), EngineError> {
        let phrases = match &adapter.voice {
            Some(voice) => Phrases::new(voice)?,
            None => Phrases::default(),
        };
        let loaded = Loaded {
            name: name.to_owned(),
            adapter,
            phrases,
        };
        match self.loaded.iter().position(|found| found.name == name) {
            Some(idx) => {
                self.loaded[idx] = loaded;
                if self.applied == Some(idx) {
                    self.applied = None;
                }
            }
            None => self.loaded.push(loaded),
        }
        Ok(())
    }

    /// Removes the adapter from the generator, and forgets all adapters.
    pub(crate) fn clear(&mut self, generator: Option<&mut Generator>) -> Result<(), EngineError> {
        if let (Some(_), Some(generator)) = (self.applied, generator) {
            generator.set_adapter(None)?;
        }
        *self = Self::default();
        Ok(())
    }

    /// Records that the generator was loaded again, and so has no adapter.
    pub(crate) fn taken_off(&mut self) {
        self.applied = None;
    }

    /// Names of the loaded adapters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.loaded.iter().map(|loaded| loaded.name.as_str())
    }

    /// Applies the named adapter to the generator, the first one if `name` is `None`, or none if `is_wanted` is false;
    /// returns its phrases.
    pub(crate) fn apply(
        &mut self,
        generator: &mut Generator,
        is_wanted: bool,
        name: Option<&str>,
    ) -> Result<Phrases, EngineError> {
        let wanted = match name {
            _ if !is_wanted => None,
            None => (!self.loaded.is_empty()).then_some(0),
            Some(name) => Some(self.find(name)?),
        };
        if wanted != self.applied {
            generator.set_adapter(wanted.map(|idx| self.loaded[idx].adapter.clone()))?;
            self.applied = wanted;
        }
        Ok(wanted.map_or_else(Phrases::default, |idx| self.loaded[idx].phrases.clone()))
    }

    fn find(&self, name: &str) -> Result<usize, EngineError> {
        let place = self.loaded.iter().position(|loaded| loaded.name == name);
        place.ok_or_else(|| EngineError::UnknownVoice {
            expected: self.names().map(str::to_owned).collect(),
            found: name.to_owned(),
        })
    }
}
