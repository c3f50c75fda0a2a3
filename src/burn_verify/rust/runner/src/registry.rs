//! The compiled models of one binary, by module name.

use std::collections::HashMap;
use std::path::Path;

use compat::Device;

use crate::Loaded;

/// Loads weights from a file and binds the model's `forward`.
pub type Load = fn(&Path, &Device) -> Loaded;

/// Filled by the generated crates, one line a model.
#[derive(Default)]
pub struct Registry {
    models: HashMap<&'static str, Load>,
}

impl Registry {
    /// Adds a model under the name of its generated module.
    pub fn insert(&mut self, module: &'static str, load: Load) {
        self.models.insert(module, load);
    }

    /// The way to load a model, if it was compiled into this binary.
    pub fn get(&self, module: &str) -> Option<Load> {
        self.models.get(module).copied()
    }
}
